/** Rules: list, one rule with its versions, and why rules did or did not fire. */
import { ListChecks, Workflow } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/rules',
    name: 'rules',
    component: () => import('./RulesPage.vue'),
    meta: {
      messages: ['rules'],
      permission: 'rule.read',
      nav: { section: 'configure', order: 30, label: 'nav.rules', icon: Workflow },
    },
  },
  {
    path: '/rules/new',
    name: 'rule-new',
    component: () => import('./RulePage.vue'),
    meta: { messages: ['rules'], permission: 'rule.write' },
  },
  {
    path: '/rules/:id',
    name: 'rule',
    component: () => import('./RulePage.vue'),
    meta: { messages: ['rules'], permission: 'rule.read' },
  },
  {
    path: '/rule-traces',
    name: 'rule-traces',
    component: () => import('./TracesPage.vue'),
    meta: {
      messages: ['rules'],
      permission: 'rule.read',
      nav: { section: 'observe', order: 30, label: 'nav.traces', icon: ListChecks },
    },
  },
];
