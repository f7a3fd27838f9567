/**
 * The messages of one conversation as the page holds them: the newest page first, older ones when they are scrolled to, changes
 * as the engine tells of them. What must stay true: order is that of the engine, and what is held has a bound.
 */
import type { ConversationId, Message, TalkApi } from '@siphera/talk';
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue';
import { mergeNewest } from '#features/talk/merge-messages.ts';

const pageSize = 60;
const olderSize = 100;
const pauseMs = 120;
/** Held at most; far more than anybody scrolls through. Beyond it nothing older is read, search finds it. */
const heldMax = 5_000;
/** A quoted message this many pages back is still looked for. */
const pagesBackMax = 20;

export function useMessages(api: () => TalkApi | undefined, conversation: () => ConversationId | undefined) {
  const items = shallowRef<readonly Message[]>([]);
  const more = ref(false);
  const loading = ref(false);
  const failed = shallowRef<unknown>();
  let turn = 0;
  let reading = false;
  let again = false;

  async function readNewest(mine: number, engine: TalkApi, id: ConversationId): Promise<void> {
    const page = await engine.messages(id, { limit: pageSize });
    if (mine !== turn) return;
    const merged = mergeNewest(items.value, page.items);
    if (!merged.overlaps) more.value = page.more;
    items.value = merged.items;
    failed.value = undefined;
  }

  /** One reading at a time; what changes meanwhile makes one more. */
  async function refresh(): Promise<void> {
    const engine = api();
    const id = conversation();
    if (!engine || !id) return;
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    const mine = turn;
    loading.value = items.value.length === 0;
    try {
      await readNewest(mine, engine, id);
    } catch (thrown) {
      if (mine === turn) failed.value = thrown;
    } finally {
      reading = false;
      loading.value = false;
    }
    if (again || mine !== turn) {
      again = false;
      // A storm of changes is drawn a few times a second; the page stays quick and the engine has time to work.
      if (mine === turn) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await refresh();
    }
  }

  /** Those that are older than the newest page changed too: an edit, an acknowledgement. One call from the oldest of them on. */
  async function refreshOld(ids: readonly string[]): Promise<void> {
    const engine = api();
    const id = conversation();
    const mine = turn;
    const edge = items.value.length - pageSize;
    const before = items.value[edge]?.id;
    const changed = new Set(ids);
    const oldest = items.value.findIndex((message) => changed.has(message.id));
    if (!engine || !id || before === undefined || oldest < 0 || oldest >= edge) return;
    const { items: found } = await engine.messages(id, { before, limit: edge - oldest });
    if (mine !== turn) return;
    const fresh = new Map(found.map((message) => [message.id, message]));
    items.value = items.value.map((message) => fresh.get(message.id) ?? message);
  }

  async function older(): Promise<void> {
    const engine = api();
    const id = conversation();
    const oldest = items.value[0];
    if (!engine || !id || !oldest || loading.value || !more.value) return;
    const mine = turn;
    loading.value = true;
    try {
      const page = await engine.messages(id, { before: oldest.id, limit: olderSize });
      if (mine !== turn) return;
      const known = new Set(items.value.map((message) => message.id));
      const fresh = page.items.filter((message) => !known.has(message.id));
      items.value = [...fresh, ...items.value];
      more.value = page.more && fresh.length > 0 && items.value.length < heldMax;
    } catch (thrown) {
      if (mine === turn) failed.value = thrown;
    } finally {
      loading.value = false;
    }
  }

  /** Reads back until that message is held; false when it is not to be found. */
  async function reach(messageId: string): Promise<boolean> {
    const held = (): boolean => items.value.some((message) => message.id === messageId);
    for (let page = 0; page < pagesBackMax && !held() && more.value; page += 1) {
      const before = items.value.length;
      await older();
      if (items.value.length === before) break;
    }
    return held();
  }

  let stop: (() => void) | undefined;
  watch(
    [api, conversation] as const,
    ([engine, id]) => {
      stop?.();
      turn += 1;
      items.value = [];
      more.value = false;
      failed.value = undefined;
      stop = engine?.subscribe((change) => {
        if (change.what !== 'messages' || change.conversation !== id) return;
        void refresh();
        void refreshOld(change.ids).catch(() => undefined);
      });
      void refresh();
    },
    { immediate: true },
  );
  onBeforeUnmount(() => {
    turn += 1;
    stop?.();
  });

  return { items, more, loading, failed, older, refresh, reach };
}
