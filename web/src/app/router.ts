/**
 * Routes of the console. A feature adds its pages with `features/<noun>/routes.ts`; nothing here knows them by name.
 * What must stay true: no page of a signed-in user is shown without a session, nor one his role does not allow.
 */
import type { Permission } from '@siphera/contract';
import { ref, type Component } from 'vue';
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router';
import { api } from '#api/client.ts';
import { loadMessages } from '#app/i18n.ts';
import { useSession } from '#app/session.store.ts';

export type NavSection = 'operate' | 'configure' | 'observe' | 'administer';
export type NavEntry = { section: NavSection; order: number; label: string; icon: Component };

declare module 'vue-router' {
  interface RouteMeta {
    /** Shown without a session: login, setup, trust. */
    public?: boolean;
    /** Opens without asking the box who is signed in: it must work when nothing answers. */
    sessionless?: boolean;
    /** Fills its own window, without the frame of the console. */
    bare?: boolean;
    /** Texts to load first: names of feature folders. */
    messages?: readonly string[];
    /** The page is for those who hold this somewhere. */
    permission?: Permission;
    /** Place in the side navigation. */
    nav?: NavEntry;
    /** Key of the page's title. */
    title?: string;
  }
}

const featureRoutes = import.meta.glob<{ routes: RouteRecordRaw[] }>('../features/*/routes.ts', {
  eager: true,
});
const pages = Object.values(featureRoutes).flatMap((file) => file.routes);

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    ...pages.filter((route) => route.meta?.public === true || route.meta?.bare === true),
    {
      path: '/',
      component: () => import('#app/AppShell.vue'),
      children: [
        { path: '', redirect: '/incidents' },
        ...pages.filter((route) => route.meta?.public !== true && route.meta?.bare !== true),
        { path: ':rest(.*)*', name: 'not-found', component: () => import('#app/NotFoundPage.vue') },
      ],
    },
  ],
});

/** Address of a page without its optional parameters: `/plans/:floorId?` → `/plans`. */
const navPath = (path: string): string => path.replace(/\/:\w+\?/g, '');

/** Pages with a place in the navigation that the user may see, in order. */
export function navEntries(): (NavEntry & { path: string; name: string })[] {
  const session = useSession();
  return pages
    .flatMap((page) =>
      page.meta?.nav && (!page.meta.permission || session.may(page.meta.permission))
        ? [
            {
              ...page.meta.nav,
              path: navPath(page.path),
              name: String(page.name),
            },
          ]
        : [],
    )
    .sort((a, b) => a.order - b.order);
}

router.beforeEach(async (to) => {
  const session = useSession();
  const messages = loadMessages(['app', ...to.matched.flatMap((record) => record.meta.messages ?? [])]);
  if (session.state === 'unknown' && to.name !== 'trust' && to.meta.sessionless !== true)
    await Promise.all([session.restore(), messages]);
  await messages;
  if (to.meta.public) return true;
  if (session.state === 'signed_in') {
    if (!to.meta.permission || session.may(to.meta.permission)) return true;
    return { name: 'not-found', params: { rest: to.path.split('/').filter((part) => part !== '') } };
  }
  const setup = await api('getSetup');
  if (setup.needed) return { name: 'setup' };
  return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } };
});

/** True while the box does not answer and there is no page to show instead. */
export const unreachable = ref(false);
let wanted = '/';

router.onError((_error, to) => {
  wanted = to.fullPath;
  unreachable.value = true;
});
router.afterEach(() => {
  unreachable.value = false;
});

/** Tries to open the page that could not be opened. */
export function retryNavigation(): void {
  void router.replace({ path: wanted, force: true });
}
