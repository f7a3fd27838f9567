/** The page that makes a device trust the box. */
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/trust',
    name: 'trust',
    component: () => import('./TrustPage.vue'),
    meta: { public: true, messages: ['trust'] },
  },
];
