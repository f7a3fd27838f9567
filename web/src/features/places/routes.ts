/** Sites, their areas and floors. */
import { Building2 } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/sites',
    name: 'sites',
    component: () => import('./SitesPage.vue'),
    meta: {
      messages: ['places'],
      permission: 'registry.read',
      nav: { section: 'configure', order: 15, label: 'nav.sites', icon: Building2 },
    },
  },
];
