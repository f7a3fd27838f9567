/** Events: the live list, one event, the types; and what could not be taken as an event. */
import { Activity, MailX } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/events',
    name: 'events',
    component: () => import('./EventsPage.vue'),
    meta: {
      messages: ['events'],
      permission: 'event.read',
      nav: { section: 'observe', order: 10, label: 'nav.events', icon: Activity },
    },
  },
  {
    path: '/events/:seq(\\d+)',
    name: 'event',
    component: () => import('./EventPage.vue'),
    meta: { messages: ['events'], permission: 'event.read' },
  },
  {
    path: '/event-types',
    name: 'event-types',
    component: () => import('./EventTypesPage.vue'),
    meta: { messages: ['events'], permission: 'event.read' },
  },
  {
    path: '/dead-letters',
    name: 'dead-letters',
    component: () => import('./DeadLettersPage.vue'),
    meta: {
      messages: ['events'],
      permission: 'system.read',
      nav: { section: 'observe', order: 20, label: 'nav.deadLetters', icon: MailX },
    },
  },
];
