import type { FeedLine } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../testing/memory-box.ts';
import { FeedHub } from './feed-hub.ts';
import { FeedReader, lineBytesMax } from './feed-reader.ts';
import type { Tx } from './transaction.ts';

const big = 'x'.repeat(60_000);
const change = (tx: Tx): number =>
  tx.change({
    kind: 'settings',
    action: 'updated',
    id: 'x',
    orgId: 'o',
    audience: 'system.read',
    scopes: [],
    data: { big },
  });
/** An event as large as they come, at the next position. */
function event(tx: Tx): void {
  const seq = tx.nextSeq();
  tx.db
    .prepare(
      `INSERT INTO events (seq, org_id, origin, source, id, type, class, version, time_ms, recorded_ms, late_ms, delivery, clock_suspect, trace_id, data)
       VALUES (?, 'o', 'x', 's', ?, 'motion.started', 'motion', 1, 0, 0, 0, 'live', 0, 't', ?)`,
    )
    .run(seq, String(seq), JSON.stringify({ big }));
}

async function fill(writer: ReturnType<typeof openMemory>['writer'], pairs: number): Promise<void> {
  await writer.submit((tx) => {
    for (let n = 0; n < pairs; n++) {
      event(tx);
      change(tx);
    }
  });
}

describe('large entries in the feed', () => {
  it('come in lines of some megabytes, each once and in order', async () => {
    const { db, writer } = openMemory();
    await fill(writer, 100);
    const reader = new FeedReader(db);
    const seen: number[] = [];
    let upto = 0;
    while (upto < reader.position()) {
      const line = reader.read(upto, 500, 0);
      expect(JSON.stringify(line).length).toBeLessThan(3 * lineBytesMax);
      seen.push(...line.entries.map((entry) => entry.seq));
      upto = line.upto;
    }
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it('reach a follower in lines that it can take, also when it is live', async () => {
    const { db, writer, clock } = openMemory();
    const hub = new FeedHub(new FeedReader(db), clock);
    const lines: FeedLine[] = [];
    hub.add({ after: 0, ready: () => true, send: (line) => void lines.push(line), gone: () => undefined });
    await fill(writer, 50);
    hub.wake();
    await expect.poll(() => lines.at(-1)?.upto).toBe(100);
    await fill(writer, 400);
    hub.wake();
    await expect.poll(() => lines.at(-1)?.upto).toBe(900);
    hub.close();
    const seen = lines.flatMap((line) => line.entries.map((entry) => entry.seq));
    expect(seen).toEqual(Array.from({ length: 900 }, (_, index) => index + 1));
    expect(Math.max(...lines.map((line) => JSON.stringify(line).length))).toBeLessThan(3 * lineBytesMax);
  });
});
