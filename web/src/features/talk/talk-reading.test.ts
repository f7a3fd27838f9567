import { describe, expect, it } from 'vitest';
import type { Conversation, Message, TalkChange } from '@siphera/talk';
import { createTalkReading } from '#features/talk/talk-reading.ts';
import { aConversation, aMessage } from '#features/talk/testing/builders.ts';

const here = aConversation().id;
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

/** An engine with so many messages in the conversation, oldest first; answers are held back until let go. */
function engine(count: number) {
  const state = {
    all: Array.from<unknown, Message>({ length: count }, (_, at) => aMessage({ id: `m${at}`, at })),
    conversations: [] as Conversation[],
    reads: 0,
    failing: undefined as Error | undefined,
  };
  return {
    state,
    conversations: async () => {
      state.reads += 1;
      await Promise.resolve();
      if (state.failing) throw state.failing;
      return state.conversations;
    },
    messages: async (_id: string, { before, limit = 50 }: { before?: string; limit?: number } = {}) => {
      state.reads += 1;
      await Promise.resolve();
      const end = before === undefined ? state.all.length : state.all.findIndex(({ id }) => id === before);
      const start = Math.max(0, end - limit);
      return { items: state.all.slice(start, end), more: start > 0 };
    },
  };
}
const changed: TalkChange = { what: 'messages', conversation: here, ids: [] };

describe('what pages of talk show', () => {
  it('is the newest of the open conversation, and older ones when asked for', async () => {
    const talk = engine(150);
    const reading = createTalkReading(talk);
    await reading.open(here);
    expect(reading.messages.value).toHaveLength(60);
    expect(reading.messages.value.at(-1)?.id).toBe('m149');
    expect(reading.hasOlder.value).toBe(true);
    await reading.loadOlder();
    await reading.loadOlder();
    expect(reading.messages.value.map(({ id }) => id)).toEqual(talk.state.all.map(({ id }) => id));
    expect(reading.hasOlder.value).toBe(false);
  });

  it('keeps what was scrolled back to when new messages come', async () => {
    const talk = engine(100);
    const reading = createTalkReading(talk);
    await reading.open(here);
    await reading.loadOlder();
    talk.state.all.push(aMessage({ id: 'new', at: 1_000 }));
    reading.hear(changed);
    await settled();
    expect(reading.messages.value.map(({ id }) => id)).toEqual(talk.state.all.map(({ id }) => id));
    expect(reading.hasOlder.value).toBe(false);
  });

  it('changes an old message that is on the screen', async () => {
    const talk = engine(100);
    const reading = createTalkReading(talk);
    await reading.open(here);
    await reading.loadOlder();
    talk.state.all[3] = aMessage({ id: 'm3', at: 3, content: { t: 'deleted' } });
    reading.hear(changed);
    await settled();
    expect(reading.messages.value[3]?.content).toEqual({ t: 'deleted' });
  });

  it('reads a storm of changes with one more reading, not one each', async () => {
    const talk = engine(10);
    const reading = createTalkReading(talk);
    await reading.open(here);
    talk.state.reads = 0;
    for (let count = 0; count < 500; count += 1) reading.hear(changed);
    await settled();
    expect(talk.state.reads).toBe(2);
  });

  it('shows nothing of a conversation that was left while it was read', async () => {
    const talk = engine(10);
    const reading = createTalkReading(talk);
    const opening = reading.open(here);
    await reading.open(undefined);
    await opening;
    expect(reading.messages.value).toEqual([]);
  });

  it('lists conversations newest first, and says why it could not', async () => {
    const talk = engine(0);
    talk.state.conversations = [
      aConversation({ id: 'd:old', lastAt: 1 }),
      aConversation({ id: 'd:new', lastAt: 2 }),
    ];
    const reading = createTalkReading(talk);
    reading.refresh();
    await settled();
    expect(reading.conversations.value.map(({ id }) => id)).toEqual(['d:new', 'd:old']);
    talk.state.failing = Object.assign(new Error('the tab went'), { code: 'not_ready' });
    reading.hear({ what: 'conversations' });
    await settled();
    expect(reading.problem.value).toEqual({ code: 'not_ready', message: 'the tab went' });
    talk.state.failing = undefined;
    reading.refresh();
    await settled();
    expect(reading.problem.value).toBeUndefined();
  });
});
