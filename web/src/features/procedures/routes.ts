/** Operating procedures: the steps guards tick off. */
import { ClipboardList } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/procedures',
    name: 'procedures',
    component: () => import('./ProceduresPage.vue'),
    meta: {
      messages: ['procedures'],
      permission: 'rule.read',
      nav: { section: 'configure', order: 40, label: 'nav.procedures', icon: ClipboardList },
    },
  },
];
