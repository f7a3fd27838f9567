/** The emergency line by its address, for a bookmark on a desk without a phone. */
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/emergency',
    name: 'emergency',
    component: () => import('./EmergencyPage.vue'),
    meta: { public: true, sessionless: true, messages: ['emergency-line'] },
  },
];
