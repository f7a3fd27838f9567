/** Incidents: board and page. */
import { Siren } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/incidents',
    name: 'incidents',
    component: () => import('./BoardPage.vue'),
    meta: {
      messages: ['incidents'],
      permission: 'incident.read',
      nav: { section: 'operate', order: 10, label: 'nav.incidents', icon: Siren },
    },
  },
  {
    path: '/incidents/:id',
    name: 'incident',
    component: () => import('./IncidentPage.vue'),
    meta: { messages: ['incidents', 'cameras', 'playback', 'exports', 'talk'], permission: 'incident.read' },
  },
];
