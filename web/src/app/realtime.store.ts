/**
 * The live feed for pages: opens the link while signed in, and hands entries to listeners in batches, once per animation
 * frame (a storm of 1,000 events/s costs 60 renders, not 1,000). A hidden tab has no frames: there it applies at once,
 * because an alarm must ring there too.
 */
import type { FeedEntry, FeedKind, FeedLine } from '@siphera/contract';
import { defineStore } from 'pinia';
import { markRaw, ref, watch } from 'vue';
import { apiUrl } from '#api/client.ts';
import { RealtimeLink, type LinkState } from '#api/realtime-link.ts';
import { openFeedSocket } from '#api/feed-socket.ts';
import { openFeedStream } from '#api/feed-stream.ts';
import { TalkWire } from '#api/talk-wire.ts';
import { learnBoxTime, monotonic } from '#app/clock.ts';
import { useSession } from '#app/session.store.ts';

export type FeedListener = (entries: readonly FeedEntry[]) => void;

/** The link waits this long for the first snapshot, so that it can start exactly after it. */
const firstSnapshotMs = 1_500;

export const useRealtime = defineStore('realtime', () => {
  const session = useSession();
  const state = ref<LinkState>('idle');
  const eventsPerSecond = ref(0);
  const listeners = new Map<FeedKind, Set<FeedListener>>();
  const gapListeners = new Set<() => void>();
  const talkWire = markRaw(new TalkWire());
  let queue: FeedEntry[] = [];
  let frame: number | undefined;
  let starting: ReturnType<typeof setTimeout> | undefined;
  let counted = 0;

  const heard =
    (next: (line: FeedLine) => void) =>
    (line: FeedLine): void => {
      learnBoxTime(line.at);
      next(line);
    };

  const link = new RealtimeLink({
    now: monotonic,
    every: (ms, run) => {
      const id = setInterval(run, ms);
      return () => clearInterval(id);
    },
    openSocket: (after, events) =>
      openFeedSocket({
        token: session.token,
        after,
        events: { ...events, frame: heard(events.frame) },
        talkWire,
      }),
    openStream: (after, events) =>
      openFeedStream({
        url: apiUrl('stream', { query: { after } }),
        token: session.token() ?? '',
        events: { ...events, line: heard(events.line) },
      }),
    onState: (next) => {
      state.value = next;
    },
    onEntries: enqueue,
    onGap: () => {
      for (const listener of gapListeners) listener();
    },
    onRevoked: () => session.leave('revoked'),
    onTokenRefused: () => void session.renew(),
  });

  function enqueue(entries: readonly FeedEntry[]): void {
    counted += entries.length;
    queue.push(...entries);
    if (document.hidden) {
      flush();
      return;
    }
    frame ??= requestAnimationFrame(flush);
  }

  function flush(): void {
    if (frame !== undefined) cancelAnimationFrame(frame);
    frame = undefined;
    const batch = queue.sort((a, b) => a.seq - b.seq);
    queue = [];
    const byKind = Map.groupBy(batch, (entry) => entry.kind);
    for (const [kind, entries] of byKind) {
      for (const listener of listeners.get(kind) ?? []) listener(entries);
    }
  }

  /** Follows one kind of the feed; returns what ends it. */
  function on(kind: FeedKind, listener: FeedListener): () => void {
    const set = listeners.get(kind) ?? new Set();
    listeners.set(kind, set.add(listener));
    return () => set.delete(listener);
  }

  /** Called when entries were missed for good and snapshots must be read again. */
  function onGap(listener: () => void): () => void {
    gapListeners.add(listener);
    return () => gapListeners.delete(listener);
  }

  /** The first snapshot tells where the link starts. */
  function noteSnapshot(feedSeq: number): void {
    if (starting !== undefined) begin(feedSeq);
  }

  function begin(after: number | undefined): void {
    clearTimeout(starting);
    starting = undefined;
    link.start(after);
  }

  setInterval(() => {
    eventsPerSecond.value = counted;
    counted = 0;
  }, 1_000);
  document.addEventListener('visibilitychange', flush);
  session.onToken((token) => link.renew(token));
  watch(
    () => session.signedIn,
    (signedIn) => {
      if (signedIn) starting = setTimeout(() => begin(undefined), firstSnapshotMs);
      else {
        clearTimeout(starting);
        starting = undefined;
        link.stop();
      }
    },
    { immediate: true, flush: 'sync' },
  );

  return { state, eventsPerSecond, on, onGap, noteSnapshot, talkWire };
});
