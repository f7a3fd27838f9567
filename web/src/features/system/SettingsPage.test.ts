import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMemoryHistory, createRouter } from 'vue-router';
import { i18n, loadMessages, setLocale } from '#app/i18n.ts';
import { useSession, type SignedIn } from '#app/session.store.ts';
import SettingsPage from './SettingsPage.vue';

const stored = {
  org_name: 'Harbour',
  box_name: 'box',
  host_names: ['box'],
  outbound_allow: [] as string[],
  transcript_required: false,
};
const saved: unknown[] = [];

/** The box at the wire: it keeps the settings that it is sent. */
function fakeBox(): void {
  let settings = stored;
  vi.stubGlobal('fetch', (_url: string, init: RequestInit) => {
    if (init.method === 'PATCH') {
      const change = JSON.parse(init.body as string) as Partial<typeof stored>;
      saved.push(change);
      settings = { ...settings, ...change };
    }
    return Promise.resolve(new Response(JSON.stringify(settings), { status: 200 }));
  });
}

async function open(permissions: readonly string[]) {
  useSession().signIn({
    access_token: 't',
    expires_in: 300,
    me: {
      user: { id: 'u', org_id: 'o', name: 'Mara', email: 'm@x.example', active: true, locale: 'en' },
      session_id: 's',
      org: { id: 'o', name: 'Harbour' },
      permissions: permissions.map((permission) => ({ permission, scope: 'org:o' })),
    },
  } as unknown as SignedIn);
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [{ path: '/:all(.*)', component: { render: () => null } }],
  });
  const page = mount(SettingsPage, { global: { plugins: [i18n, router] } });
  await flushPromises();
  return page;
}

beforeEach(async () => {
  setActivePinia(createPinia());
  saved.length = 0;
  fakeBox();
  await setLocale('en');
  await loadMessages(['app', 'system']);
});
afterEach(() => vi.unstubAllGlobals());

it('asks for filed talk when an admin has switched it on and saved', async () => {
  const page = await open(['system.read', 'system.manage']);
  const knob = page.get('[role=switch]');
  expect(page.text()).toContain('An incident closes only with its talk filed');
  expect(knob.attributes('aria-checked')).toBe('false');
  await knob.trigger('click');
  expect(saved).toEqual([]);
  await page.get('form').trigger('submit');
  await flushPromises();
  expect(saved).toEqual([{ org_name: 'Harbour', outbound_allow: [], transcript_required: true }]);
});

it('shows the switch to who may only look, and lets nobody else turn it', async () => {
  const page = await open(['system.read']);
  expect(page.get('[role=switch]').attributes('disabled')).toBeDefined();
  await page.get('form').trigger('submit');
  await flushPromises();
  expect(saved).toEqual([]);
});
