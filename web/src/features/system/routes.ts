/** The box itself: health, audit, retention, settings. */
import { DatabaseZap, HeartPulse, ScrollText, Settings } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/health',
    name: 'health',
    component: () => import('./HealthPage.vue'),
    meta: {
      messages: ['system'],
      permission: 'system.read',
      nav: { section: 'observe', order: 50, label: 'nav.health', icon: HeartPulse },
    },
  },
  {
    path: '/audit',
    name: 'audit',
    component: () => import('./AuditPage.vue'),
    meta: {
      messages: ['system'],
      permission: 'audit.read',
      nav: { section: 'observe', order: 40, label: 'nav.audit', icon: ScrollText },
    },
  },
  {
    path: '/retention',
    name: 'retention',
    component: () => import('./RetentionPage.vue'),
    meta: {
      messages: ['system', 'events'],
      permission: 'system.read',
      nav: { section: 'administer', order: 50, label: 'nav.retention', icon: DatabaseZap },
    },
  },
  {
    path: '/settings',
    name: 'settings',
    component: () => import('./SettingsPage.vue'),
    meta: {
      messages: ['system'],
      permission: 'system.read',
      nav: { section: 'administer', order: 60, label: 'nav.settings', icon: Settings },
    },
  },
];
