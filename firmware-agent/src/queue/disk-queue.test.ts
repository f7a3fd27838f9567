import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CrashDisk, PowerCut } from '../../testing/crash-disk.ts';
import { AgentError } from '../domain/agent-error.ts';
import { openQueue, type DiskQueue } from './disk-queue.ts';
import type { Gap } from './state.ts';

type Served = { name: string; gap?: Gap };
const segmentBytes = 400;

/** A queue on a disk whose power can be cut; streams are s1, s2, … */
function workbench(seed: number, bytesMax = 1_000_000) {
  let state = seed >>> 0;
  const draw = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return below === 0 ? 0 : state % below;
  };
  const disk = new CrashDisk(draw);
  const gaps: Gap[] = [];
  const streams: string[] = [];
  let made = 0;
  const open = (): Promise<DiskQueue> =>
    openQueue({
      disk,
      bytesMax,
      segmentBytes,
      newStream: () => `s${(made += 1)}`,
      gapPayload: (gap) => Buffer.from(JSON.stringify({ name: 'gap', gap })),
      onGap: (gap) => gaps.push(gap),
      onStream: (stream) => streams.push(stream),
    });
  return { disk, gaps, streams, open, draw };
}

const entry = (name: string, kept = false, size = 0) => ({
  payload: Buffer.from(JSON.stringify({ name, pad: 'x'.repeat(size) })),
  kept,
});

/** Everything held, as the box would get it: behind a hole only once what is before it is committed. */
async function drain(queue: DiskQueue): Promise<Served[]> {
  const served: Served[] = [];
  for (;;) {
    const records = await queue.read(queue.floor, 1_000);
    const newest = records.at(-1);
    if (!newest) return served;
    for (const record of records) served.push(JSON.parse(record.payload.toString()) as Served);
    queue.commit(newest.sequence);
  }
}

const names = (served: readonly Served[]): string[] =>
  served.filter((item) => item.name !== 'gap').map((item) => item.name);

describe('the queue on disk', () => {
  test('serves events in the order they were accepted and forgets the committed ones', async () => {
    const { open } = workbench(1);
    const queue = await open();
    const sequences = await Promise.all(['a', 'b', 'c'].map((name) => queue.append(entry(name))));
    expect(sequences).toEqual([1, 2, 3]);
    queue.commit(2);
    expect(queue.floor).toBe(3);
    expect(names(await drain(queue))).toEqual(['c']);
    expect(queue.held).toBe(0);
  });

  test('gives no sequence twice after everything was committed and the agent restarted', async () => {
    const { open } = workbench(2);
    let queue = await open();
    for (let n = 0; n < 40; n += 1) await queue.append(entry(`e${n}`, false, 50));
    queue.commit(40);
    await queue.close();
    queue = await open();
    expect(await queue.append(entry('next'))).toBe(41);
    expect(queue.floor).toBe(41);
  });

  test('ignores a commit beyond what was ever accepted', async () => {
    const { open } = workbench(3);
    const queue = await open();
    await queue.append(entry('a'));
    queue.commit(7);
    expect(names(await drain(queue))).toEqual(['a']);
  });

  test('loses no accepted event and keeps their order, wherever the power goes', async () => {
    const step = fc.record({
      kept: fc.boolean(),
      size: fc.nat(120),
      together: fc.integer({ min: 1, max: 4 }),
      commit: fc.nat(100),
    });
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      crashesLoseNothing,
    );
    await fc.assert(property, { numRuns: 400 });
  }, 60_000);

  test('carries what it can read into a new stream and reports the rest when bytes on the disk have changed', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(), fc.nat(), damageIsTold), { numRuns: 150 });
  }, 60_000);

  test('starts a new stream with everything in it when its own name file is gone', async () => {
    const { disk, open, gaps } = workbench(5);
    let queue = await open();
    for (const name of ['a', 'b']) await queue.append(entry(name));
    disk.lose('queue.json');
    queue = await open();
    expect(queue.stream).toBe('s2');
    expect(names(await drain(queue))).toEqual(['a', 'b']);
    expect(gaps).toHaveLength(1);
  });

  test('refuses the event and goes on when the disk refuses a write', async () => {
    const { disk, open } = workbench(6);
    const queue = await open();
    await queue.append(entry('a'));
    disk.cutAfter(2);
    await expect(queue.append(entry('b'))).rejects.toMatchObject({ code: 'queue_failed' });
    disk.cutAfter(Number.POSITIVE_INFINITY);
    expect(await queue.append(entry('c'))).toBe(2);
    expect(names(await drain(queue))).toEqual(['a', 'c']);
  });

  test('renumbers everything that is not committed when told to start a new stream', async () => {
    const { open, streams } = workbench(7);
    const queue = await open();
    for (const name of ['a', 'b', 'c']) await queue.append(entry(name));
    queue.commit(1);
    await queue.restream('test');
    expect(streams).toEqual(['s2']);
    expect(queue.floor).toBe(1);
    expect(await queue.append(entry('d'))).toBe(3);
    expect(names(await drain(queue))).toEqual(['b', 'c', 'd']);
  });
});

describe('a full queue', () => {
  test('drops the oldest ordinary events, keeps every alarm, and reports exactly what it dropped', async () => {
    const { open, gaps } = workbench(8, 30_000);
    const queue = await open();
    const accepted: string[] = [];
    for (let n = 0; n < 1_500; n += 1) {
      const name = n % 50 === 0 ? `alarm${n}` : `ordinary${n}`;
      await queue.append(entry(name, n % 50 === 0, 20));
      accepted.push(name);
    }
    expect(queue.bytes).toBeLessThanOrEqual(30_000 + 200);
    const served = await drain(queue);
    const kept = names(served);
    const alarms = accepted.filter((name) => name.startsWith('alarm'));
    expect(kept.filter((name) => name.startsWith('alarm'))).toEqual(alarms);
    expect(kept).toEqual(accepted.filter((name) => kept.includes(name)));
    expect(kept.at(-1)).toBe(accepted.at(-1));
    const reported = served.reduce((sum, item) => sum + (item.gap?.missing ?? 0), 0);
    expect(reported).toBe(accepted.length - kept.length);
    expect(queue.dropped).toBe(reported);
    expect(gaps.every((gap) => gap.reason === 'overflow')).toBe(true);
  });

  test('refuses an ordinary event, and lets go of the oldest alarm for a new one, when it holds only alarms', async () => {
    const { open, gaps } = workbench(9, 4_000);
    const queue = await open();
    for (let n = 0; n < 30; n += 1) await queue.append(entry(`alarm${n}`, true, 60));
    while (gaps.length === 0) await queue.append(entry('more', true, 60));
    const refused: unknown[] = [];
    for (let n = 0; n < 10; n += 1) {
      await queue.append(entry('ordinary', false, 60)).catch((error: unknown) => refused.push(error));
    }
    expect(refused[0]).toMatchObject({ code: 'queue_full' });
    const alarms = gaps.reduce((sum, gap) => sum + gap.alarms, 0);
    expect(alarms).toBeGreaterThan(0);
  });

  test('stays whole when the power goes while it drops', async () => {
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 1_500 }), fc.nat(), async (cut, seed) => {
      const { disk, open } = workbench(seed, 3_000);
      let queue = await open();
      const alarms: string[] = [];
      disk.cutAfter(cut);
      try {
        for (let n = 0; n < 200; n += 1) {
          const kept = n % 40 === 0;
          await queue.append(entry(`e${n}`, kept, 10));
          if (kept) alarms.push(`e${n}`);
        }
      } catch (error) {
        // The power is off; what counts is what was accepted before.
        if (!(error instanceof AgentError)) throw error;
      }
      disk.reboot();
      queue = await open();
      const served = names(await drain(queue));
      expect(queue.stream).toBe('s1');
      expect(alarms.filter((name) => !served.includes(name))).toEqual([]);
      expect(numbers(served)).toEqual([...numbers(served)].sort((a, b) => a - b));
    });
    await fc.assert(property, { numRuns: 200 });
  }, 60_000);
});

const numbers = (list: readonly string[]): number[] => list.map((name) => Number(name.slice(1)));

type Step = { kept: boolean; size: number; together: number; commit: number };

async function crashesLoseNothing(steps: Step[], cuts: number[], seed: number): Promise<void> {
  const { disk, open, gaps, streams } = workbench(seed);
  const accepted: string[] = [];
  const committed: string[] = [];
  const given = new Set<string>();
  let count = 0;
  for (const cut of [...cuts, Number.POSITIVE_INFINITY]) {
    disk.reboot();
    disk.cutAfter(cut);
    try {
      const queue = await open();
      for (const step of steps) {
        const batch = Array.from({ length: step.together }, () => `e${(count += 1)}`);
        const appends = batch.map(async (name) => {
          const sequence = await queue.append(entry(name, step.kept, step.size));
          accepted.push(name);
          expect(given).not.toContain(`${queue.stream}:${sequence}`);
          given.add(`${queue.stream}:${sequence}`);
        });
        for (const result of await Promise.allSettled(appends)) {
          if (result.status === 'rejected') throw result.reason;
        }
        const records = await queue.read(queue.floor, Math.floor((queue.held * step.commit) / 100));
        committed.push(...names(records.map((record) => JSON.parse(record.payload.toString()) as Served)));
        queue.commit(records.at(-1)?.sequence ?? 0);
      }
    } catch (error) {
      // The power went; the next round finds what is left.
      if (!(error instanceof PowerCut) && !(error instanceof AgentError)) throw error;
    }
  }
  disk.reboot();
  const served = names(await drain(await open()));
  // A write that was torn in its middle cannot be told from damage: it may be reported, but then in a new stream.
  expect(gaps).toHaveLength(streams.length);
  expect(numbers(served)).toEqual([...numbers(served)].sort((a, b) => a - b));
  expect(accepted.filter((name) => !committed.includes(name) && !served.includes(name))).toEqual([]);
}

async function damageIsTold(where: number, seed: number): Promise<void> {
  const { disk, open, gaps, streams } = workbench(seed);
  let queue = await open();
  for (let n = 0; n < 40; n += 1) await queue.append(entry(`e${n}`, false, 20));
  await queue.close();
  const files = (await disk.list()).filter((name) => name.endsWith('.seg')).sort();
  const file = files[where % files.length] ?? '';
  const at = where % disk.size(file);
  disk.rot(file, at);
  queue = await open();
  const served = names(await drain(queue));
  expect(numbers(served)).toEqual([...numbers(served)].sort((a, b) => a - b));
  const lost = 40 - served.length;
  // A rotten last record looks like a torn write; it is the one loss that can only be seen once it was acknowledged.
  if (served.at(-1) === 'e38' && gaps.length === 0) return;
  expect(streams).toEqual(['s2']);
  expect(gaps.map((gap) => gap.missing)).toEqual([Math.max(1, lost)]);
}
