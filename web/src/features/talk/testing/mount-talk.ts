/** Mounts a component of talk as the console does: texts, tooltips, links of the router. */
import { mount } from '@vue/test-utils';
import { createPinia } from 'pinia';
import { TooltipProvider } from 'reka-ui';
import { defineComponent, h, type Component } from 'vue';
import { createMemoryHistory, createRouter } from 'vue-router';
import { i18n, loadMessages } from '#app/i18n.ts';

const blank = defineComponent({ render: () => h('div') });

/** @param props of the component; listeners go in as `onX`, as Vue has them */
export async function mountTalk(component: Component, props: Record<string, unknown>) {
  await loadMessages(['app', 'talk']);
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/talk/:id?', name: 'talk', component: blank },
      { path: '/:rest(.*)*', component: blank },
    ],
  });
  const wrapper = mount(() => h(TooltipProvider, () => h(component, props)), {
    attachTo: document.body,
    global: { plugins: [i18n, createPinia(), router] },
  });
  await router.isReady().catch(() => undefined);
  return wrapper;
}
