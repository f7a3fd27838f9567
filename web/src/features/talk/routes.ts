/** Secure talk: conversations, and one of them. */
import { MessagesSquare } from '@lucide/vue';
import type { RouteRecordRaw } from 'vue-router';

export const routes: RouteRecordRaw[] = [
  {
    path: '/talk/:id?',
    name: 'talk',
    component: () => import('./TalkPage.vue'),
    meta: {
      messages: ['talk'],
      permission: 'talk.use',
      nav: { section: 'operate', order: 12, label: 'nav.talk', icon: MessagesSquare },
    },
  },
];
