/** Emergency calls: where help is sent, what lacks, drills, and the calls that were made. */
import { Siren } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/emergency-calls',
    name: 'emergency-calls',
    component: () => import('./EmergencyPage.vue'),
    meta: {
      messages: ['emergency'],
      permission: 'phone.read',
      nav: { section: 'configure', order: 26, label: 'nav.emergency', icon: Siren },
    },
  },
];
