/**
 * Talk for pages: the calls of the engine and what they have to show, kept up to date. Pages import this and the types of `@siphera/talk`,
 * nothing of `place/`. The engine, in this tab or another, is fetched by `start`: a console without talk loads none of it.
 */
import type { ConversationId, TalkApi, TalkChange, TalkState, Verification } from '@siphera/talk';
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { api as rest, type Item } from '#api/client.ts';
import { useRealtime } from '#app/realtime.store.ts';
import { useSession } from '#app/session.store.ts';
import { cloneable, talkApiOver } from '#features/talk/place/talk-methods.ts';
import type { TalkTabs } from '#features/talk/place/tabs.ts';
import { noteEnding } from '#features/talk/endings.ts';
import { createTalkReading } from '#features/talk/talk-reading.ts';

export type TalkPerson = Item<'listPeople'>;
export type PersonPresence = TalkPerson['presence'];
/** A device that was added to this account, as my other devices are told. */
export type NewDevice = { deviceId: string; name: string; address: string };

/** Says that this browser is a device of that person, so that talk opens after sign-in. Holds no secret. */
const knownKey = (userId: string): string => `siphera_talk:${userId}`;
/** Verifications that are shown at once; more are somebody's play. */
const verificationsMax = 10;
/** New devices that wait to be looked at; the list of devices has them all. */
const newDevicesMax = 20;

export const useTalk = defineStore('talk', () => {
  const session = useSession();
  const realtime = useRealtime();
  /** `absent` also before `start`. */
  const state = shallowRef<TalkState>({ is: 'absent' });
  /** Started: the state is the engine's. */
  const started = ref(false);
  /** The engine runs in this tab: it speaks for the device, e.g. says `busy`. */
  const leads = ref(false);
  const connection = shallowRef({ online: false, waiting: 0 });
  const presence = shallowRef<ReadonlyMap<string, PersonPresence>>(new Map());
  const people = shallowRef<TalkPerson[]>([]);
  const verifications = shallowRef<Verification[]>([]);
  const newDevices = shallowRef<NewDevice[]>([]);
  const listeners = new Set<(change: TalkChange) => void>();
  let tabs: Promise<TalkTabs> | undefined;

  /** Answers from the engine, wherever it runs. Rejects with an error that has `code` (`TalkErrorCode`). */
  const api: TalkApi = talkApiOver(
    async (method, args) => (await start()).ask(method, args.map(cloneable)),
    (hear) => {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  );
  const reading = createTalkReading(api);

  /** Opens talk in this tab. Calling it again does nothing. */
  function start(): Promise<TalkTabs> {
    tabs ??= open().catch((error: unknown) => {
      tabs = undefined;
      started.value = false;
      state.value = { is: 'failed', reason: error instanceof Error ? error.message : String(error) };
      throw error;
    });
    return tabs;
  }

  /** After sign-in: opens talk when this browser is a device of who signed in. */
  function startIfKnown(): void {
    const userId = session.me?.user.id;
    if (userId === undefined || localStorage.getItem(knownKey(userId)) === null) return;
    start().catch(() => undefined);
  }

  async function open(): Promise<TalkTabs> {
    const { me } = session;
    if (!me) throw new Error('Nobody is signed in');
    started.value = true;
    state.value = { is: 'opening' };
    const { openTalkTabs } = await import('#features/talk/place/open-tabs.ts');
    return openTalkTabs({
      userId: me.user.id,
      orgId: me.org.id,
      sessionId: () => session.me?.session_id ?? me.session_id,
      socket: realtime.talkWire,
      hear,
      presence: (next) => {
        presence.value = new Map(next);
      },
      leads: (isLeading) => {
        leads.value = isLeading;
      },
    });
  }

  function hear(change: TalkChange): void {
    if (change.what === 'state') void readState();
    else if (change.what === 'connection')
      connection.value = { online: change.online, waiting: change.waiting };
    else if (change.what === 'verification') void readVerification(change.flowId);
    else if (change.what === 'new_own_device') {
      const { deviceId, name, address } = change;
      const others = newDevices.value.filter((one) => one.deviceId !== deviceId);
      newDevices.value = [...others, { deviceId, name, address }].slice(-newDevicesMax);
    }
    reading.hear(change);
    for (const listener of listeners) listener(change);
  }

  async function readState(): Promise<void> {
    const userId = session.me?.user.id;
    const next = await api.state().catch(() => undefined);
    if (!next || userId === undefined || session.me?.user.id !== userId) return;
    state.value = next;
    if (next.is === 'ready' || next.is === 'needs_recovery') localStorage.setItem(knownKey(userId), '1');
    if (next.is === 'absent' || next.is === 'removed') localStorage.removeItem(knownKey(userId));
    if (next.is === 'ready') reading.refresh();
    else reading.clear();
  }

  async function readVerification(flowId: string): Promise<void> {
    const now = await api.verification(flowId).catch(() => null);
    const others = verifications.value.filter((one) => one.flowId !== flowId);
    verifications.value = now ? [...others, now].slice(-verificationsMax) : others;
  }

  async function stop(userId = session.me?.user.id): Promise<void> {
    const running = tabs;
    tabs = undefined;
    started.value = false;
    leads.value = false;
    state.value = { is: 'absent' };
    connection.value = { online: false, waiting: 0 };
    presence.value = new Map();
    people.value = [];
    verifications.value = [];
    newDevices.value = [];
    reading.clear();
    const opened = await running?.catch(() => undefined);
    // The page is on its way to the sign-in by now; what is not done here in time is done there.
    const wasRevoked = session.endedBy === 'revoked';
    if (wasRevoked && userId !== undefined) noteEnding(userId, 'lock');
    await opened?.stop(wasRevoked ? 'revoked' : 'closed');
  }

  /** The directory; presence of the live list goes over that of this reading. */
  async function loadPeople(): Promise<void> {
    people.value = (await rest('listPeople')).items;
  }

  const presenceOf = (userId: string): PersonPresence | undefined =>
    presence.value.get(userId) ?? people.value.find(({ id }) => id === userId)?.presence;

  /** Why what was typed is no recovery secret, before it is tried; undefined when it may be one. */
  async function checkSecret(typed: string): Promise<'character' | 'length' | 'typo' | undefined> {
    const { readSecret } = await import('@siphera/talk');
    const reading = readSecret(typed);
    return reading.ok ? undefined : reading.why;
  }

  // Another tab made this browser a device: it is one here too.
  window.addEventListener('storage', ({ key, newValue }) => {
    const userId = session.me?.user.id;
    if (userId !== undefined && key === knownKey(userId) && newValue !== null) startIfKnown();
  });
  // Who signs out, or another who signs in here, takes nothing of the one before along.
  watch(
    () => session.me?.user.id,
    (_, before) => {
      if (before !== undefined) void stop(before);
    },
    { flush: 'sync' },
  );

  return {
    state,
    started,
    leads,
    connection,
    presence,
    people,
    verifications,
    newDevices,
    conversations: reading.conversations,
    openId: reading.openId,
    messages: reading.messages,
    hasOlder: reading.hasOlder,
    loading: reading.loading,
    problem: reading.problem,
    unread: computed(() => reading.conversations.value.reduce((sum, one) => sum + one.unread, 0)),
    toAck: computed(() => reading.conversations.value.reduce((sum, one) => sum + one.toAck, 0)),
    api,
    start: async (): Promise<void> => {
      await start();
    },
    startIfKnown,
    stop: (): Promise<void> => stop(),
    openConversation: (id: ConversationId | undefined): Promise<void> => reading.open(id),
    loadOlder: reading.loadOlder,
    loadPeople,
    presenceOf,
    checkSecret,
    dismissNewDevice: (deviceId: string): void => {
      newDevices.value = newDevices.value.filter((one) => one.deviceId !== deviceId);
    },
  };
});
