import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it } from 'vitest';
import { flushActs, type Answer } from './act-queue.ts';
import {
  actsMax,
  forgetAll,
  keepAct,
  openOfflineDb,
  waitingActs,
  type OfflineAct,
  type OfflineDb,
} from './offline-db.ts';

let db: OfflineDb;
let asked: { path: string; key: string; body: unknown }[] = [];
const act = (id: string, patch: Partial<OfflineAct> = {}): OfflineAct => ({
  id,
  userId: 'greta',
  incidentId: 'i1',
  number: 7,
  kind: 'acknowledge',
  body: {},
  at: Date.UTC(2026, 10, 28, 3),
  ...patch,
});
const answers =
  (...list: Answer[]) =>
  (path: string, body: unknown, key: string): Promise<Answer> => {
    asked.push({ path, key, body });
    return Promise.resolve(list.shift() ?? { status: 200, body: {} });
  };

beforeEach(async () => {
  db = await openOfflineDb();
  await forgetAll(db);
  asked = [];
});

describe('what was done offline', () => {
  it('goes in its order, each with its own idempotency key, and is then forgotten', async () => {
    await keepAct(db, act('a'));
    await keepAct(db, act('b', { kind: 'resolve', body: { code: 'false_alarm', note: 'cat' } }));
    expect(await flushActs(db, 'greta', answers())).toBe('empty');
    expect(asked.map(({ path, key }) => [path, key])).toEqual([
      ['/incidents/i1/acknowledge', 'a'],
      ['/incidents/i1/resolve', 'b'],
    ]);
    expect(await waitingActs(db)).toEqual([]);
    expect((await db.getAll('outcomes')).map(({ result }) => result)).toEqual(['done', 'done']);
  });

  it('stays while the box is away, busy or failing, and goes with the same key later', async () => {
    await keepAct(db, act('a'));
    for (const status of [0, 429, 503]) {
      expect(await flushActs(db, 'greta', answers({ status, body: {} }))).toBe('away');
      expect(await waitingActs(db)).toHaveLength(1);
    }
    await flushActs(db, 'greta', answers());
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set(['a']));
  });

  it('is noted on the incident with its time when somebody was first', async () => {
    await keepAct(db, act('a', { kind: 'resolve', body: { code: 'real', note: 'Police called' } }));
    await flushActs(db, 'greta', answers({ status: 409, body: { detail: 'Bert was first' } }));
    expect(asked[1]).toMatchObject({ path: '/incidents/i1/comments', key: 'a-note' });
    expect(asked[1]!.body).toEqual({
      text: 'Done without connection at 2026-11-28T03:00:00.000Z, arrived late: resolved as real: Police called',
    });
    expect(await db.getAll('outcomes')).toMatchObject([{ result: 'noted', detail: 'Bert was first' }]);
  });

  it('is kept when the box goes away between the refusal and the note', async () => {
    await keepAct(db, act('a'));
    const end = await flushActs(db, 'greta', answers({ status: 409, body: {} }, { status: 0, body: {} }));
    expect(end).toBe('away');
    expect(await waitingActs(db)).toHaveLength(1);
  });

  it('is told as refused when the role no longer allows it', async () => {
    await keepAct(db, act('a'));
    await flushActs(db, 'greta', answers({ status: 403, body: { detail: 'Your role does not allow this' } }));
    expect(await db.getAll('outcomes')).toMatchObject([
      { result: 'refused', detail: 'Your role does not allow this' },
    ]);
  });

  it('is never done in the name of the next person at this browser', async () => {
    await keepAct(db, act('a'));
    expect(await flushActs(db, 'bert', answers())).toBe('empty');
    expect(asked).toEqual([]);
    await flushActs(db, 'greta', answers());
    expect(asked).toHaveLength(1);
  });

  it('stops at the end of the session and loses nothing', async () => {
    await keepAct(db, act('a'));
    expect(await flushActs(db, 'greta', answers({ status: 401, body: {} }))).toBe('signed_out');
    expect(await waitingActs(db)).toHaveLength(1);
  });

  it('is refused at once when no more is kept', async () => {
    for (let count = 0; count < actsMax; count += 1) await keepAct(db, act(`a${count}`));
    expect(await keepAct(db, act('one too many'))).toBe(false);
  });
});
