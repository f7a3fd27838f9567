/** What waits for the box in this browser, how it went, and bringing it there whenever there is a chance. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef, watch } from 'vue';
import { boxTime } from '#app/clock.ts';
import { useRealtime } from '#app/realtime.store.ts';
import { useSession } from '#app/session.store.ts';
import { flushActs, flushLock, type Answer } from '#features/offline/act-queue.ts';
import {
  forgetAll,
  keepAct,
  openOfflineDb,
  waitingActs,
  type ActOutcome,
  type OfflineAct,
} from '#features/offline/offline-db.ts';

/** Tried again this often while something waits; the feed, the network and the service worker wake it earlier. */
const retryMs = 15_000;
const syncTag = 'siphera-acts';

export const useOffline = defineStore('offline', () => {
  const session = useSession();
  const realtime = useRealtime();
  const db = openOfflineDb();
  const waiting = ref(0);
  const outcomes = shallowRef<ActOutcome[]>([]);
  let flushing: Promise<void> | undefined;

  async function count(): Promise<void> {
    waiting.value = (await waitingActs(await db)).length;
    outcomes.value = (await (await db).getAll('outcomes')).filter(({ result }) => result !== 'done');
  }

  /** Keeps an act for later. False when there is no room for it. */
  async function keep(act: Omit<OfflineAct, 'userId' | 'at'>): Promise<boolean> {
    const userId = session.me?.user.id;
    if (userId === undefined) return false;
    const kept = await keepAct(await db, { ...act, userId, at: boxTime() });
    await count();
    if (kept) await askForSync();
    return kept;
  }

  function flush(): Promise<void> {
    flushing ??= send().finally(() => {
      flushing = undefined;
    });
    return flushing;
  }

  async function send(): Promise<void> {
    const userId = session.me?.user.id;
    if (userId === undefined || waiting.value === 0) return;
    if (session.token() === undefined && !(await session.renew())) return;
    await navigator.locks.request(flushLock, async () => flushActs(await db, userId, request));
    await count();
  }

  async function request(path: string, body: unknown, idempotencyKey: string): Promise<Answer> {
    const once = (): Promise<Answer> => post(path, body, idempotencyKey, session.token());
    const answer = await once();
    return answer.status === 401 && (await session.renew()) ? once() : answer;
  }

  async function read(id: string): Promise<void> {
    await (await db).delete('outcomes', id);
    await count();
  }

  /** Removed from elsewhere: everything goes. Signed out: what the person did stays until he is back and it can be sent in his name. */
  async function forget(): Promise<void> {
    if (session.endedBy === 'revoked') await forgetAll(await db);
    else await (await db).clear('kept');
    await count();
  }

  void count();
  setInterval(() => void flush(), retryMs);
  window.addEventListener('online', () => void flush());
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    if (data === 'acts_sent') void count();
  });
  watch(
    () => realtime.state,
    (state) => {
      if (state === 'live') void flush();
    },
  );
  watch(
    () => session.state,
    (state) => {
      if (state === 'signed_out') void forget();
    },
  );

  return {
    db,
    waiting,
    /** What was not done as asked. */
    outcomes: computed(() => outcomes.value),
    keep,
    flush,
    read,
  };
});

/** Background Sync, where the browser has it: the queue goes even when this page is closed. */
async function askForSync(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  const { sync } = (registration ?? {}) as { sync?: { register: (tag: string) => Promise<void> } };
  await sync?.register(syncTag).catch(() => undefined);
}

async function post(path: string, body: unknown, key: string, token: string | undefined): Promise<Answer> {
  try {
    const response = await fetch(`/api/v1${path}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Siphera-Console': '1',
        'Idempotency-Key': key,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json().catch(() => ({}))) as Answer['body'] };
  } catch {
    return { status: 0, body: {} };
  }
}
