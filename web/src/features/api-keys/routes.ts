/** Keys with which programs call the box. */
import { KeyRound } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/api-keys',
    name: 'api-keys',
    component: () => import('./ApiKeysPage.vue'),
    meta: {
      messages: ['api-keys', 'users'],
      permission: 'apikey.manage',
      nav: { section: 'administer', order: 20, label: 'nav.apiKeys', icon: KeyRound },
    },
  },
];
