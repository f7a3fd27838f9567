/** What is kept, for how long, and what is bounded: through the whole of core, over months that pass in a moment. */
import { internalPaths, type EventClass } from '@siphera/contract';
import { call, exchange, tempDir, waitFor, type FakeClock, type TempDir } from '@siphera/testkit';
import { systemRandom } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TraceRing, traceBytesMax } from '../rules/store/trace-ring.ts';
import { openMemory, startMs } from '../testing/memory-box.ts';
import { ada, setUp, signIn } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';
import { storeDeadLetter } from './dead-letter-store.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** As the dead-letter store keeps them. */
const deadLettersMax = 10_000;

let dir: TempDir;
let core: TestCore;
let clock: FakeClock;
let token = '';

beforeEach(async () => {
  dir = await tempDir('retention');
  core = await startTestCore({ dir: dir.path, run: true });
  ({ clock } = core);
  ({ token } = await setUp(core));
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
  await dir.remove();
});

/** A started box looks at once for what it has kept too long. */
async function later(ms: number): Promise<void> {
  await core[Symbol.asyncDispose]();
  clock.advance(ms);
  core = await startTestCore({ dir: dir.path, clock, run: true });
  ({ token } = await signIn(core, ada.email, ada.password));
}
async function hear(type: string, count: number): Promise<void> {
  const before = rows();
  const events = Array.from({ length: count }, () => ({
    specversion: '1.0',
    id: crypto.randomUUID(),
    source: 'test/retention',
    type,
  }));
  for (let from = 0; from < count; from += 500) {
    const body = { channel: 'system', events: events.slice(from, from + 500) };
    expect((await core.internal(internalPaths.events, body)).status).toBe(200);
  }
  // Figures are written once a second; what is kept is judged by them.
  await waitFor('the figures', () => rows() === before + count);
}
const rows = (): number =>
  core.db.prepare<[], { n: number | null }>('SELECT sum(rows) AS n FROM event_volume').get()?.n ?? 0;
const kept = (klass: EventClass): number =>
  core.db.prepare<[string], { n: number }>('SELECT count(*) AS n FROM events WHERE class = ?').get(klass)
    ?.n ?? -1;

describe('retention', () => {
  it('by days takes the class that is due and no other, and the feed says from where on it is kept', async () => {
    await hear('motion.started', 30);
    await hear('panic.pressed', 2);
    await later(92 * dayMs);
    await waitFor('the motion to be gone', () => kept('motion') === 0);
    expect(kept('panic')).toBe(2);
    // Two days of changes are kept: a reader from before them starts over from a snapshot.
    await waitFor('the feed to be cut', () => core.app.hub.isGone(1));
    const feed = await exchange(`${core.baseUrl('core')}/api/v1/stream?after=1`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(feed.status).toBe(410);
    expect(jsonOf(feed)).toMatchObject({ code: 'gone', hint: expect.stringContaining('snapshot') as string });
    expect(core.app.hub.isGone(core.app.hub.position())).toBe(false);
  });

  it('by bytes takes the oldest hours of that class alone', async () => {
    const policies = [{ class: 'motion' as const, days_max: 90, bytes_max: 1_000_000 }];
    await call(core, 'putRetention', { token, body: { policies } });
    await hear('motion.started', 3_000);
    await hear('door.opened', 3_000);
    clock.advance(2 * hourMs);
    await hear('motion.started', 100);
    await later(hourMs);
    await waitFor('the first hour to be gone', () => kept('motion') === 100);
    expect(kept('door')).toBe(3_000);
    // The figures follow the rows within the next turns of housekeeping.
    const forecast = await waitFor('the figures to follow', async () => {
      const retention = await call(core, 'getRetention', { token });
      const byClass = new Map(retention.forecast.map((one) => [one.class, one]));
      return byClass.get('motion')?.rows === 100 ? byClass : undefined;
    });
    expect(forecast.get('door')).toMatchObject({ rows: 3_000, bytes_per_day: expect.any(Number) as number });
    // At this rate the bytes are used up before the days are over.
    const motion = forecast.get('motion');
    expect(motion?.days_kept).toBeLessThanOrEqual(90);
    expect(motion?.days_kept).toBeCloseTo(Math.min(90, 1_000_000 / (motion?.bytes_per_day ?? 1)));
  });
});

describe('rings', () => {
  it('keep the newest dead letters, however long a device sends nonsense', async () => {
    const { db, writer } = openMemory();
    let n = 0;
    await writer.submit((tx) => {
      // Trimmed now and then, by chance; here each hundredth time.
      const random = { ...systemRandom, fraction: () => (n % 100 === 0 ? 0 : 1) };
      for (n = 1; n <= deadLettersMax + 1_000; n++) {
        const letter = { channel: 'rest' as const, origin: `${n}`, orgId: 'o', bytes: 1, payload: 'x' };
        storeDeadLetter({ ...tx, random }, letter, 'not_json', 'It is nonsense.');
      }
    });
    const left = db.prepare<[], { n: number; newest: number }>(
      'SELECT count(*) AS n, max(CAST(origin AS INTEGER)) AS newest FROM dead_letters',
    );
    expect(left.get()?.n).toBeGreaterThanOrEqual(deadLettersMax);
    expect(left.get()?.n).toBeLessThanOrEqual(deadLettersMax + 101);
    expect(left.get()?.newest).toBe(deadLettersMax + 1_000);
  });

  it('keep the newest traces within their bytes', async () => {
    const { db, writer } = openMemory();
    const ring = new TraceRing(db);
    const detail = 'x'.repeat(40_000);
    const count = 2_400;
    for (let n = 0; n < count; n += 100) {
      await writer.submit((tx) => {
        for (let one = n; one < n + 100; one++)
          ring.add(
            tx,
            'o',
            {
              rule_id: 'r',
              rule_name: 'Rule',
              rule_version: 1,
              at_ms: startMs,
              outcome: 'near_miss',
              reason: `${one}`,
              key: 'k',
              steps: [{ what: 'Something', passed: false, detail }],
            } as Parameters<TraceRing['add']>[2],
            undefined,
          );
      });
    }
    const figures = db
      .prepare<[], { bytes: number; newest: number }>(
        'SELECT sum(bytes) AS bytes, max(CAST(reason AS INTEGER)) AS newest FROM rule_traces',
      )
      .get();
    // It is looked at after each five hundred.
    expect(figures?.bytes).toBeLessThanOrEqual(traceBytesMax + 500 * 41_000);
    expect(figures?.newest).toBe(count - 1);
  });
});
