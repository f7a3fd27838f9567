/** Mounts a component of the phone as the console does: texts, tooltips, router, somebody signed in. */
import { mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { TooltipProvider } from 'reka-ui';
import { defineComponent, h, type Component } from 'vue';
import { createMemoryHistory, createRouter } from 'vue-router';
import { i18n, loadMessages } from '#app/i18n.ts';
import { useSession, type SignedIn } from '#app/session.store.ts';
import type { LineCall } from '#features/phone/line-types.ts';

const blank = defineComponent({ render: () => h('div') });

/** Signs in who holds these permissions. */
export function signInWith(permissions: readonly string[]): void {
  setActivePinia(createPinia());
  useSession().signIn({
    access_token: 't',
    expires_in: 300,
    me: {
      user: { id: 'anna', org_id: 'o', name: 'Anna' },
      session_id: 's',
      org: { id: 'o', name: 'Org' },
      permissions: permissions.map((permission) => ({ permission, scope: 'org:o' })),
    },
  } as unknown as SignedIn);
}

export async function mountPhone(component: Component, props: Record<string, unknown> = {}) {
  await loadMessages(['app', 'phone', 'emergency-line', 'cameras']);
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:rest(.*)*', component: blank }],
  });
  return mount(() => h(TooltipProvider, () => h(component, props)), {
    attachTo: document.body,
    global: { plugins: [i18n, router], stubs: { DoorPicture: true } },
  });
}

export const aCall = (over: Partial<LineCall> = {}): LineCall => ({
  id: 'c-1',
  callId: 'sip-1',
  direction: 'in',
  number: '300',
  name: 'Gate',
  phase: 'ringing',
  early: false,
  held: false,
  heldByThem: false,
  muted: false,
  unheard: false,
  startedAt: 0,
  connectedAt: null,
  transfer: 'none',
  end: null,
  ...over,
});
