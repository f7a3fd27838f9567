/** The reference of the box's REST API. */
import { BookOpen } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/developers',
    name: 'developers',
    component: () => import('./DevelopersPage.vue'),
    meta: {
      messages: ['developers'],
      nav: { section: 'administer', order: 90, label: 'nav.developers', icon: BookOpen },
    },
  },
];
