/** Notifications (e-mail, webhooks, what was sent) and escalation plans. */
import { BellRing, Megaphone } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/notifications',
    name: 'notifications',
    component: () => import('./NotificationsPage.vue'),
    meta: {
      messages: ['notifications'],
      permission: 'notify.manage',
      nav: { section: 'administer', order: 40, label: 'nav.notifications', icon: BellRing },
    },
  },
  {
    path: '/escalations',
    name: 'escalations',
    component: () => import('./EscalationsPage.vue'),
    meta: {
      messages: ['notifications'],
      permission: 'rule.read',
      nav: { section: 'configure', order: 50, label: 'nav.escalations', icon: Megaphone },
    },
  },
];
