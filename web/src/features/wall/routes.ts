/** The wall: live pictures in a window of its own. */
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/wall',
    name: 'wall',
    component: () => import('./WallPage.vue'),
    meta: { bare: true, messages: ['cameras', 'wall'], permission: 'camera.live' },
  },
];
