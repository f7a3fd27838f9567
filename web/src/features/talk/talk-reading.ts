/**
 * What pages of talk show, read from the engine and read again when it says that something changed. One reading of a kind at a time:
 * a storm of changes costs one more, not one each.
 */
import type {
  Conversation,
  ConversationId,
  Message,
  TalkApi,
  TalkChange,
  TalkErrorCode,
} from '@siphera/talk';
import { ref, shallowRef, type Ref } from 'vue';

/** Messages of one reading: a screen and a half of a tall display. */
const pageSize = 60;

export type TalkProblem = { code: TalkErrorCode | 'internal'; message: string };
export type TalkReading = {
  /** Newest first. */
  conversations: Readonly<Ref<Conversation[]>>;
  openId: Readonly<Ref<ConversationId | undefined>>;
  /** Of the open conversation, oldest first. */
  messages: Readonly<Ref<Message[]>>;
  hasOlder: Readonly<Ref<boolean>>;
  loading: Readonly<Ref<boolean>>;
  /** Why the last reading failed; the next one that succeeds clears it. */
  problem: Readonly<Ref<TalkProblem | undefined>>;
  open(id: ConversationId | undefined): Promise<void>;
  loadOlder(): Promise<void>;
  hear(change: TalkChange): void;
  /** Reads all of it anew. */
  refresh(): void;
  clear(): void;
};

/** Any thrown value as what a page shows. */
function asTalkProblem(thrown: unknown): TalkProblem {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = (thrown as { code?: unknown } | null)?.code;
  return { code: typeof code === 'string' ? (code as TalkErrorCode) : 'internal', message };
}

export function createTalkReading(api: Pick<TalkApi, 'conversations' | 'messages'>): TalkReading {
  const conversations = shallowRef<Conversation[]>([]);
  const openId = ref<ConversationId>();
  const messages = shallowRef<Message[]>([]);
  const hasOlder = ref(false);
  const loading = ref(false);
  const problem = shallowRef<TalkProblem>();

  async function guarded(read: () => Promise<void>): Promise<void> {
    try {
      await read();
      problem.value = undefined;
    } catch (thrown) {
      problem.value = asTalkProblem(thrown);
    }
  }

  const readConversations = coalesced(() =>
    guarded(async () => {
      const read = await api.conversations();
      conversations.value = read.toSorted((a, b) => b.lastAt - a.lastAt);
    }),
  );

  const readMessages = coalesced(() =>
    guarded(async () => {
      const id = openId.value;
      if (id === undefined) return;
      const limit = Math.max(pageSize, messages.value.length);
      const { items, more } = await api.messages(id, { limit });
      if (openId.value !== id) return;
      // What somebody scrolled back to stays, also when new messages push it out of the window.
      const first = messages.value.findIndex((one) => one.id === items[0]?.id);
      const kept = first > 0 ? messages.value.slice(0, first) : [];
      messages.value = [...kept, ...items];
      if (kept.length === 0) hasOlder.value = more;
    }),
  );

  async function open(id: ConversationId | undefined): Promise<void> {
    if (openId.value !== id) {
      openId.value = id;
      messages.value = [];
      hasOlder.value = false;
    }
    if (id === undefined) return;
    loading.value = true;
    await readMessages();
    if (openId.value === id) loading.value = false;
  }

  async function loadOlder(): Promise<void> {
    const id = openId.value;
    const before = messages.value[0]?.id;
    if (id === undefined || before === undefined || loading.value) return;
    loading.value = true;
    await guarded(async () => {
      const { items, more } = await api.messages(id, { before, limit: pageSize });
      if (openId.value !== id || messages.value[0]?.id !== before) return;
      messages.value = [...items, ...messages.value];
      hasOlder.value = more;
    });
    loading.value = false;
  }

  return {
    conversations,
    openId,
    messages,
    hasOlder,
    loading,
    problem,
    open,
    loadOlder,
    hear: (change) => {
      if (change.what === 'conversations') void readConversations();
      if (change.what === 'messages' && change.conversation === openId.value) void readMessages();
    },
    refresh: () => {
      void readConversations();
      void readMessages();
    },
    clear: () => {
      conversations.value = [];
      openId.value = undefined;
      messages.value = [];
      hasOlder.value = false;
      loading.value = false;
      problem.value = undefined;
    },
  };
}

/** One run at a time; what asks while it runs shares one more run after it. */
function coalesced(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    running = run().finally(() => {
      running = undefined;
    });
    return running;
  };
  return () => {
    if (!running) return begin();
    next ??= running.then(() => {
      next = undefined;
      return begin();
    });
    return next;
  };
}
