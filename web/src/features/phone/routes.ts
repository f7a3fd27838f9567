/** The softphone: dial and phone book, calls, board. */
import { Phone } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/phone/:tab?',
    name: 'phone',
    component: () => import('./PhonePage.vue'),
    meta: {
      messages: ['phone', 'emergency-line'],
      permission: 'phone.use',
      nav: { section: 'operate', order: 14, label: 'nav.phone', icon: Phone },
    },
  },
];
