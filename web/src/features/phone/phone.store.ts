/**
 * The softphone for pages: what it does now, wherever it runs, and what the bridge knows (phone book, board, missed calls). What must stay
 * true: an emergency number never goes out from here, it goes to the emergency line, which needs no registration.
 */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import { api, type Item, type Result } from '#api/client.ts';
import { asApiError } from '#api/problem.ts';
import { boxTime } from '#app/clock.ts';
import { useSession } from '#app/session.store.ts';
import { setCaller } from '#features/emergency-line/caller.ts';
import { isEmergencyNumber } from '#features/emergency-line/emergency-info.ts';
import { openEmergencyLine } from '#features/emergency-line/open-emergency.ts';
import type { MakeAgent } from './agent/agent-types.ts';
import { asDialled } from './dialled.ts';
import { noLine, type LineCommand, type LineView } from './line-types.ts';
import { PhoneTabs, type PhoneTabMessage } from './phone-tabs.ts';

export type PhoneBookEntry = Item<'listPhoneBook'>;
export type PhoneCall = Item<'listPhoneCalls'>;
export type Explained = Result<'explainDialled'>;

/** Asked again this often while nothing tells of a missed call: a desk phone with the same number may have rung. */
const missedMs = 60_000;
const missedMax = 100;
const bookFreshMs = 10_000;
const loadAgainMs = 5_000;

export const usePhone = defineStore('phone', () => {
  const session = useSession();
  const view = shallowRef<LineView>(noLine);
  /** The softphone runs in this tab. */
  const isHere = ref(false);
  const started = ref(false);
  const book = shallowRef<readonly PhoneBookEntry[]>([]);
  const missed = ref(0);
  let tabs: PhoneTabs | undefined;
  let timer: ReturnType<typeof setInterval> | undefined;
  let bookReadAt = Number.NEGATIVE_INFINITY;

  const userId = (): string => session.me?.user.id ?? '';
  const seenKey = (): string => `siphera_phone_seen:${userId()}`;

  /** From sign-in on. A page over plain HTTP has neither locks nor a microphone, whatever its types say: no softphone there. */
  async function start(makeAgent?: () => Promise<MakeAgent>): Promise<void> {
    if (started.value || userId() === '' || !('locks' in navigator)) return;
    started.value = true;
    const line = await import('./open-line.ts').catch(() => undefined);
    if (!started.value || tabs) return;
    if (!line) {
      // The box went away between the page and this part of it.
      started.value = false;
      setTimeout(() => void start(makeAgent), loadAgainMs);
      return;
    }
    const name = `siphera-phone:${userId()}`;
    const channel = new BroadcastChannel(name);
    tabs = new PhoneTabs({
      lockName: name,
      locks: navigator.locks,
      channel: {
        post: (message) => channel.postMessage(message),
        hear: (run) =>
          channel.addEventListener('message', ({ data }: MessageEvent<PhoneTabMessage>) => run(data)),
        close: () => channel.close(),
      },
      open: (changed) =>
        line.openLine({
          changed,
          missed: () => (missed.value += 1),
          ...(makeAgent ? { makeAgent } : {}),
        }),
      shown: (next, here) => {
        view.value = next;
        isHere.value = here;
        if (next.number !== '') setCaller({ number: next.number, name: next.name });
      },
    });
    tabs.start();
    void countMissed();
    timer = setInterval(() => {
      if (!document.hidden) void countMissed();
    }, missedMs);
  }

  /** A page that goes: calls end, the registration is taken back. Who sits here stays known to the emergency line. */
  function leave(): void {
    clearInterval(timer);
    tabs?.stop();
    tabs = undefined;
    started.value = false;
    isHere.value = false;
  }

  /** At sign-out. */
  function stop(): void {
    leave();
    setCaller(undefined);
    view.value = noLine;
    book.value = [];
    missed.value = 0;
  }

  /** False for what is no number. */
  function dial(text: string, name = '', kind?: Explained['kind']): boolean {
    const number = asDialled(text);
    if (number === undefined) return false;
    if (kind === 'emergency' || isEmergencyNumber(number)) openEmergencyLine(number);
    else run({ act: 'dial', number, name: name === '' ? nameOf(number) : name });
    return true;
  }

  const run = (command: LineCommand): void => tabs?.run(command);

  /** @throws ApiError */
  async function readBook(): Promise<void> {
    book.value = (await api('listPhoneBook')).items;
    bookReadAt = boxTime();
  }
  /** For names and pictures of who rings; without an answer numbers stand alone. */
  async function ensureBook(): Promise<void> {
    if (boxTime() - bookReadAt < bookFreshMs) return;
    await readBook().catch(() => undefined);
  }

  const byNumber = computed(() => new Map(book.value.map((entry) => [entry.number, entry])));
  const nameOf = (number: string): string => byNumber.value.get(number)?.name ?? '';

  async function countMissed(): Promise<void> {
    if (!started.value) return;
    const from = localStorage.getItem(seenKey()) ?? undefined;
    try {
      const { items } = await api('listPhoneCalls', {
        query: { of: 'mine', outcome: 'missed', from, limit: missedMax },
      });
      const mine = view.value.number;
      missed.value = items.filter(({ from: who }) => who.number !== mine).length;
    } catch (thrown) {
      // The count is a help; the page of calls says what is wrong.
      asApiError(thrown);
    }
  }
  /** The list of calls was looked at. */
  function markSeen(): void {
    localStorage.setItem(seenKey(), new Date(boxTime()).toISOString());
    missed.value = 0;
  }

  return {
    view,
    isHere,
    started,
    book,
    byNumber,
    missed,
    calls: computed(() => view.value.calls),
    inCall: computed(() => view.value.calls.some(({ phase }) => phase !== 'ended')),
    ready: computed(() => view.value.state === 'ready'),
    start,
    leave,
    stop,
    dial,
    run,
    readBook,
    ensureBook,
    nameOf,
    countMissed,
    markSeen,
  };
});
