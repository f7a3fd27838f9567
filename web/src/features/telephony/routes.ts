/** The phone system: numbers, trunks, number plan, and how it is. */
import { PhoneCall } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/phone-system',
    name: 'phone-system',
    component: () => import('./TelephonyPage.vue'),
    meta: {
      messages: ['telephony'],
      permission: 'phone.manage',
      nav: { section: 'configure', order: 24, label: 'nav.phoneSystem', icon: PhoneCall },
    },
  },
];
