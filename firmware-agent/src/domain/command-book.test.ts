import type { AgentCommand } from '@siphera/contract';
import { fakeClock } from '@siphera/testkit';
import { describe, expect, test } from 'vitest';
import { toRfc3339 } from './clock.ts';
import { CommandBook } from './command-book.ts';
import type { CommandOutcome } from './driver.ts';

const clock = fakeClock();
const command = (id: string): AgentCommand => ({
  id,
  name: 'unlock',
  target: 'door',
  args: {},
  expires_at: toRfc3339(clock.now() + 10_000),
});

function bench(execute: (command: AgentCommand) => Promise<CommandOutcome>, saved?: string) {
  const texts: string[] = [];
  const executed: string[] = [];
  const book = new CommandBook({
    clock,
    saved,
    isOurs: (device) => device === 'door',
    save: async (text) => void texts.push(text),
    execute: (given) => {
      executed.push(given.id);
      return execute(given);
    },
  });
  return { book, texts, executed };
}

describe('the command book', () => {
  test('executes two at the same time with one id only once', async () => {
    const { book, executed } = bench(async () => ({ ok: true, state: 'unlocked' }));
    const [first, second] = await Promise.all([book.handle(command('a')), book.handle(command('a'))]);
    expect(first).toEqual(second);
    expect(executed).toEqual(['a']);
  });

  test('never executes again what a restart interrupted', async () => {
    const before = bench(() => new Promise(() => undefined));
    void before.book.handle(command('a'));
    await expect.poll(() => before.texts.length).toBe(1);
    const after = bench(async () => ({ ok: true }), before.texts.at(-1));
    expect(await after.book.handle(command('a'))).toMatchObject({
      ok: false,
      error: expect.stringContaining('restarted'),
    });
    expect(after.executed).toEqual([]);
  });

  test('does not execute what it cannot note', async () => {
    const executed: string[] = [];
    const book = new CommandBook({
      clock,
      saved: undefined,
      isOurs: () => true,
      save: () => Promise.reject(new Error('disk full')),
      execute: async (given) => {
        executed.push(given.id);
        return { ok: true };
      },
    });
    await expect(book.handle(command('a'))).rejects.toThrow('disk full');
    expect(executed).toEqual([]);
  });

  test('remembers the newest commands only', async () => {
    const { book, texts } = bench(async () => ({ ok: true }));
    for (let n = 0; n < 300; n += 1) await book.handle(command(`c${n}`));
    const kept = JSON.parse(texts.at(-1) ?? '') as { entries: { id: string }[] };
    expect(kept.entries).toHaveLength(256);
    expect(kept.entries.at(-1)?.id).toBe('c299');
  });

  test('starts empty from a damaged book', async () => {
    const { book } = bench(async () => ({ ok: true }), '{"entries":[{');
    expect(await book.handle(command('a'))).toMatchObject({ ok: true });
  });
});
