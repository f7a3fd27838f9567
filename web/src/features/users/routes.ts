/** Users, groups and who has which role where. */
import { Users } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/users',
    name: 'users',
    component: () => import('./UsersPage.vue'),
    meta: {
      messages: ['users'],
      permission: 'identity.read',
      nav: { section: 'administer', order: 10, label: 'nav.users', icon: Users },
    },
  },
];
