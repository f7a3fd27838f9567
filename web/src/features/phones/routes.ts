/** Phones that the box can ring up, and what each was tested to do. */
import { Smartphone } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/phones',
    name: 'phones',
    component: () => import('./PhonesPage.vue'),
    meta: {
      messages: ['phones'],
      permission: 'talk.use',
      nav: { section: 'operate', order: 80, label: 'nav.phones', icon: Smartphone },
    },
  },
  {
    path: '/phones/test',
    name: 'phone-test',
    component: () => import('./PhoneTestPage.vue'),
    meta: { messages: ['phones'], permission: 'talk.use' },
  },
];
