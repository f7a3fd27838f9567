import type { RequestListener, ServerResponse } from 'node:http';
import type { FeedEntry } from '@siphera/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FeedFollower, feedStaleMsMax } from './feed-follower.ts';
import { InternalClient } from './internal-client.ts';
import { startListener, type Listener } from './listen.ts';
import { createLogger } from './log.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The wire of core's feed, driven by the test: what follows it is real. */
let dir = '';
let listener: Listener | undefined;
let asked: string[] = [];
let open: ServerResponse[] = [];
let answerWith: number = 200;
let nowMs = 0;
let followers: FeedFollower[] = [];
const logLines: string[] = [];

const serve: RequestListener = (request, response) => {
  asked.push(request.url ?? '');
  response.writeHead(answerWith, { 'content-type': 'application/x-ndjson' });
  if (answerWith !== 200) {
    response.end();
    return;
  }
  response.flushHeaders();
  open.push(response);
};

async function startCore(): Promise<void> {
  listener = await startListener(`unix:${join(dir, 's')}`, serve);
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'siphera-feed-'));
  asked = [];
  open = [];
  answerWith = 200;
  nowMs = 0;
  followers = [];
  await startCore();
});
afterEach(async () => {
  for (const follower of followers) follower.stop();
  await listener?.close();
  rmSync(dir, { recursive: true, force: true });
});

function follow(options: { after?: number; onLine?: (seqs: number[]) => Promise<void> } = {}) {
  const heard: number[] = [];
  const follower = new FeedFollower({
    client: new InternalClient(`unix:${join(dir, 's')}`),
    clock: { now: () => nowMs, monotonic: () => nowMs },
    log: createLogger({ service: 'test', destination: { write: (line) => void logLines.push(line) } }),
    after: options.after,
    kinds: ['event', 'revocation'],
    onLine: async (line) => {
      const seqs = line.entries.map((entry) => entry.seq);
      await options.onLine?.(seqs);
      heard.push(...seqs);
    },
  });
  followers.push(follower);
  return { follower, heard, ended: follower.run() };
}

const entry = (seq: number): FeedEntry => ({
  seq,
  at: '2026-01-01T00:00:00Z',
  kind: 'event',
  action: 'created',
  id: String(seq),
  audience: 'event.read',
  scopes: [],
});
const line = (seqs: number[], upto: number): string =>
  `${JSON.stringify({ entries: seqs.map(entry), upto, at: '2026-01-01T00:00:00Z' })}\n`;

async function until(what: string, done: () => boolean): Promise<void> {
  const endAt = performance.now() + 10_000;
  while (!done()) {
    if (performance.now() > endAt) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('following the feed', () => {
  it('hands lines on in order, split or joined as they come, and knows its position', async () => {
    const { follower, heard } = follow({ after: 4 });
    await until('the call', () => open.length === 1);
    expect(asked[0]).toBe('/internal/v1/feed?after=4&kinds=event%2Crevocation');
    const text = line([5], 5) + line([6, 7], 8);
    open[0]?.write(text.slice(0, 30));
    open[0]?.write(text.slice(30));
    await until('three entries', () => heard.length === 3);
    await until('the position', () => follower.position() === 8);
    expect(heard).toEqual([5, 6, 7]);
  });

  it('comes back by itself from where it was, and hands nothing on twice', async () => {
    const { follower, heard } = follow({ after: 0 });
    await until('the call', () => open.length === 1);
    open[0]?.write(line([1, 2], 2));
    await until('two entries', () => heard.length === 2);
    open[0]?.destroy();
    await until('the second call', () => open.length === 2);
    expect(asked[1]).toContain('after=2');
    open[1]?.write(line([3], 3));
    await until('the third entry', () => follower.position() === 3);
    expect(heard).toEqual([1, 2, 3]);
  });

  it('waits for a core that is away, and says so once', async () => {
    await listener?.close();
    logLines.length = 0;
    const { heard } = follow({ after: 9 });
    await until('the loss to be logged', () => logLines.some((text) => text.includes('feed_lost')));
    await startCore();
    await until('the call', () => open.length === 1);
    open[0]?.write(line([10], 10));
    await until('the entry', () => heard.length === 1);
    await until('the return to be logged', () => logLines.some((text) => text.includes('feed_back')));
    expect(logLines.filter((text) => text.includes('feed_lost'))).toHaveLength(1);
  });

  it('asks again for a line that could not be worked in', async () => {
    let failures = 1;
    const { heard } = follow({
      after: 0,
      onLine: () => (failures-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve()),
    });
    await until('the call', () => open.length === 1);
    open[0]?.write(line([1], 1));
    await until('the second call', () => open.length === 2);
    expect(asked[1]).toContain('after=0');
    open[1]?.write(line([1], 1));
    await until('the entry', () => heard.length === 1);
  });

  it('comes back after something that is no feed line', async () => {
    const { heard } = follow({ after: 0 });
    await until('the call', () => open.length === 1);
    open[0]?.write('<html>\n');
    await until('the second call', () => open.length === 2);
    open[1]?.write(line([1], 1));
    await until('the entry', () => heard.length === 1);
  });

  it('ends with "gone" when its position is no longer kept, and with "stopped" when told', async () => {
    answerWith = 410;
    await expect(follow({ after: 1 }).ended).resolves.toBe('gone');
    answerWith = 200;
    const { follower, ended } = follow({ after: 1 });
    await until('the call', () => open.length === 1);
    follower.stop();
    await expect(ended).resolves.toBe('stopped');
  });
});

describe('staleness', () => {
  it('is infinite before core was ever heard, and grows while core is silent', async () => {
    const { follower } = follow({ after: 0 });
    expect(follower.isFresh()).toBe(false);
    expect(follower.staleMs()).toBe(Infinity);
    await until('the call', () => open.length === 1);
    open[0]?.write(line([], 3));
    await until('the heartbeat', () => follower.position() === 3);
    expect(follower.isFresh()).toBe(true);
    nowMs += feedStaleMsMax;
    expect(follower.isFresh()).toBe(true);
    nowMs += 1;
    expect(follower.isFresh()).toBe(false);
  });

  it('makes it call anew when a connection stays open and silent', async () => {
    const { follower } = follow({ after: 0 });
    await until('the call', () => open.length === 1);
    open[0]?.write(line([], 3));
    await until('the heartbeat', () => follower.position() === 3);
    // Past the time after which silence counts as death; the connection itself never breaks.
    nowMs += 6_000;
    await until('the second call', () => open.length === 2);
  });
});
