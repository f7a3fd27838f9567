/** Exports of footage. */
import { FileDown } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/exports',
    name: 'exports',
    component: () => import('./ExportsPage.vue'),
    meta: {
      messages: ['cameras', 'exports'],
      permission: 'camera.export',
      nav: { section: 'observe', order: 15, label: 'nav.exports', icon: FileDown },
    },
  },
];
