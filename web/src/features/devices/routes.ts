/** Devices: list and one device. */
import { Cpu } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/devices',
    name: 'devices',
    component: () => import('./DevicesPage.vue'),
    meta: {
      messages: ['devices'],
      permission: 'registry.read',
      nav: { section: 'configure', order: 10, label: 'nav.devices', icon: Cpu },
    },
  },
  {
    path: '/devices/:id',
    name: 'device',
    component: () => import('./DevicePage.vue'),
    meta: { messages: ['devices', 'doors'], permission: 'registry.read' },
  },
];
