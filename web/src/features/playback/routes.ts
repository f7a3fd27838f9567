/** Playback of recorded footage. */
import { History } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/playback',
    name: 'playback',
    component: () => import('./PlaybackPage.vue'),
    meta: {
      messages: ['cameras', 'playback', 'exports'],
      permission: 'camera.playback',
      nav: { section: 'operate', order: 40, label: 'nav.playback', icon: History },
    },
  },
];
