/** Alarm panels: accounts, one account with its zone map, raw frames. */
import { ShieldAlert } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/panels',
    name: 'panels',
    component: () => import('./PanelsPage.vue'),
    meta: {
      messages: ['panels'],
      permission: 'panel.read',
      nav: { section: 'configure', order: 20, label: 'nav.panels', icon: ShieldAlert },
    },
  },
  {
    path: '/panels/:id',
    name: 'panel',
    component: () => import('./PanelPage.vue'),
    meta: { messages: ['panels'], permission: 'panel.read' },
  },
];
