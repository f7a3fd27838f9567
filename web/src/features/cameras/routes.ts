/** Cameras: all of them, adding, storage, one camera. */
import { Cctv } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/cameras',
    name: 'cameras',
    component: () => import('./CamerasPage.vue'),
    meta: {
      messages: ['cameras'],
      permission: 'camera.live',
      nav: { section: 'operate', order: 30, label: 'nav.cameras', icon: Cctv },
    },
  },
  {
    path: '/cameras/add',
    name: 'camera-add',
    component: () => import('./AddCamerasPage.vue'),
    meta: { messages: ['cameras'], permission: 'camera.manage' },
  },
  {
    path: '/cameras/storage',
    name: 'camera-storage',
    component: () => import('./StoragePage.vue'),
    meta: { messages: ['cameras'], permission: 'camera.manage' },
  },
  {
    path: '/cameras/:id',
    name: 'camera',
    component: () => import('./CameraPage.vue'),
    meta: { messages: ['cameras', 'rules'], permission: 'camera.live' },
  },
];
