/** Device sessions: mine, and those of others for an admin. */
import { MonitorSmartphone } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/sessions',
    name: 'sessions',
    component: () => import('./SessionsPage.vue'),
    meta: {
      messages: ['sessions', 'talk'],
      nav: { section: 'administer', order: 30, label: 'nav.sessions', icon: MonitorSmartphone },
    },
  },
];
