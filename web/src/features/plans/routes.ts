/** Floor plans. */
import { Map as MapIcon } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/plans/:floorId?',
    name: 'plans',
    component: () => import('./PlansPage.vue'),
    meta: {
      messages: ['plans', 'doors', 'cameras'],
      permission: 'registry.read',
      nav: { section: 'operate', order: 20, label: 'nav.plans', icon: MapIcon },
    },
  },
];
