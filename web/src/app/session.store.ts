/**
 * Who is signed in. What must stay true: the access token never leaves memory; tabs share one refresh (a lock, and the
 * answer is told to the others), because each refresh rotates the cookie; permissions are checked with the scopes of the grant.
 */
import type { Permission } from '@siphera/contract';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { api, configureApi, type Body, type Result } from '#api/client.ts';
import { asApiError } from '#api/problem.ts';
import { boxTime } from '#app/clock.ts';
import { keepMe, readKeptMe } from '#app/kept-session.ts';
import { openTabChannel } from '#app/tab-channel.ts';

export type SignedIn = Result<'login'>;
export type Me = SignedIn['me'];
type Shared = { kind: 'signed_in'; answer: SignedIn; expires_at: number } | { kind: 'signed_out' };

/** Remembers that there may be a cookie worth asking with; holds no secret. */
const signedInKey = 'siphera_signed_in';
/** Renewed this long before its end: two slow calls fit in between. */
const renewBeforeMs = 60_000;
/** Another tab's fresh token is good enough when it lives at least this much longer. */
const freshMs = 90_000;
const renewRetryMs = 5_000;

export const useSession = defineStore('session', () => {
  const me = shallowRef<Me>();
  const state = ref<'unknown' | 'signed_in' | 'signed_out'>('unknown');
  const endedBy = ref<'revoked' | 'expired' | undefined>();
  const listeners = new Set<(token: string) => void>();
  let token: string | undefined;
  let expiresAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tabs = openTabChannel<Shared>('siphera_session', (message) => {
    if (message.kind === 'signed_out') leave(undefined);
    else accept(message.answer, message.expires_at);
  });

  function accept(answer: SignedIn, until: number): void {
    token = answer.access_token;
    expiresAt = until;
    me.value = answer.me;
    state.value = 'signed_in';
    endedBy.value = undefined;
    localStorage.setItem(signedInKey, '1');
    void keepMe(answer.me);
    schedule(until - boxTime() - renewBeforeMs);
    for (const listener of listeners) listener(answer.access_token);
  }

  function signIn(answer: SignedIn): void {
    const until = boxTime() + answer.expires_in * 1_000;
    accept(answer, until);
    tabs.send({ kind: 'signed_in', answer, expires_at: until });
  }

  function leave(reason: 'revoked' | 'expired' | undefined): void {
    clearTimeout(timer);
    token = undefined;
    me.value = undefined;
    localStorage.removeItem(signedInKey);
    endedBy.value = reason;
    state.value = 'signed_out';
  }

  function schedule(inMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => void renew(), Math.max(inMs, 1_000));
  }

  /** One refresh at a time over all tabs; true when there is a usable token afterwards. */
  async function renew(): Promise<boolean> {
    const before = token;
    return tabs.exclusive('siphera_refresh', async () => {
      if (token !== undefined && token !== before && expiresAt - boxTime() > freshMs) return true;
      try {
        signIn(await api('refresh'));
        return true;
      } catch (thrown) {
        const { problem } = asApiError(thrown);
        if (problem.status === 401 || problem.status === 403) {
          leave(before === undefined ? undefined : 'expired');
          return false;
        }
        // The box is away: keep the session and try again, the guard sees the offline bar meanwhile.
        if (state.value === 'signed_in') schedule(renewRetryMs);
        return false;
      }
    });
  }

  async function login(credentials: Body<'login'>): Promise<void> {
    signIn(await api('login', { body: credentials }));
  }

  async function logout(): Promise<void> {
    try {
      await api('logout');
    } finally {
      leave(undefined);
      tabs.send({ kind: 'signed_out' });
    }
  }

  /**
   * First thing at start: is there a session behind the cookie? When the box does not answer, who was last signed in here goes on
   * with what this browser has kept, without a token, until the box has been asked. Throws when nothing was kept.
   */
  async function restore(): Promise<void> {
    if (localStorage.getItem(signedInKey) === null) {
      leave(undefined);
      return;
    }
    if (await renew()) return;
    if (state.value !== 'unknown') return;
    const kept = await readKeptMe();
    if (!kept) throw new Error('The box cannot be reached');
    me.value = kept as Me;
    state.value = 'signed_in';
    schedule(renewRetryMs);
  }

  /** May I do this anywhere, or (with scopes given) on one of these? */
  function may(permission: Permission, scopes?: readonly string[]): boolean {
    return (me.value?.permissions ?? []).some(
      (row) => row.permission === permission && (scopes === undefined || scopes.includes(row.scope)),
    );
  }

  configureApi({ token: () => token, renew });

  return {
    me,
    state,
    endedBy,
    signedIn: computed(() => state.value === 'signed_in'),
    token: () => token,
    onToken: (listener: (token: string) => void) => listeners.add(listener),
    signIn,
    login,
    logout,
    renew,
    restore,
    leave,
    may,
  };
});
