/** The audit log on a running core: what is written cannot be changed unseen. */
import { call, callRaw } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setUp, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';
import { appendAudit } from './store/audit-append.store.ts';

let core: TestCore;
let admin: Person & { orgId: string };
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const verify = () => call(core, 'verifyAudit', { token: admin.token });
/** As somebody with the file in hand would: the triggers keep only honest code from it. */
function tamper(sql: string): void {
  core.db.exec(`DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; ${sql}`);
}
/** So many rows that the walk takes more than one chunk. */
function addRows(count: number): void {
  const { db } = core;
  const actor = { kind: 'system' as const, id: 'system', name: 'Siphera', orgId: admin.orgId, address: '' };
  const tx = {
    db,
    random: core.app.random,
    nowMs: core.clock.now(),
    nextSeq: () => 0,
    change: () => 0,
    afterCommit: () => undefined,
  };
  db.transaction(() => {
    for (let n = 0; n < count; n += 1) appendAudit(tx, { actor, action: 'test.row', target: `row:${n}` });
  })();
}

describe('the hash chain', () => {
  it('holds over more rows than one reading takes', async () => {
    addRows(4_500);
    const verdict = await verify();
    expect(verdict.ok).toBe(true);
    expect(verdict.rows).toBeGreaterThan(4_500);
    const { items } = await call(core, 'listAudit', {
      token: admin.token,
      query: { action: 'audit.verified' },
    });
    expect(items[0]?.detail).toEqual({ ok: true, rows: verdict.rows });
  });

  it('breaks where a row was changed, removed or slipped in', async () => {
    addRows(20);
    const { rows } = await verify();
    tamper(`UPDATE audit SET actor_name = 'Somebody else' WHERE seq = 5`);
    expect(await verify()).toMatchObject({ ok: false, first_bad_seq: 5, rows: 4 });
    core.db.exec(`UPDATE audit SET actor_name = (SELECT actor_name FROM audit WHERE seq = 4) WHERE seq = 5`);
    expect((await verify()).ok).toBe(true);
    core.db.exec('DELETE FROM audit WHERE seq = 9');
    expect(await verify()).toMatchObject({ ok: false, first_bad_seq: 10 });
    expect(rows).toBeGreaterThan(20);
  });

  it('cannot be changed by the code of the box at all', () => {
    expect(() => core.db.exec(`UPDATE audit SET action = 'x'`)).toThrow('append-only');
    expect(() => core.db.exec('DELETE FROM audit')).toThrow('append-only');
  });
});

describe('reading the audit', () => {
  it('filters by actor, action, target and time, and pages from the newest', async () => {
    addRows(7);
    core.clock.advance(60_000);
    await call(core, 'updateMe', { token: admin.token, body: { name: 'Ada A.' } });
    const { token } = admin;
    const byTarget = await call(core, 'listAudit', { token, query: { target: 'row:3' } });
    expect(byTarget.items).toHaveLength(1);
    const mine = await call(core, 'listAudit', { token, query: { actor_id: admin.id, action: 'user' } });
    expect(mine.items.map((row) => row.action)).toEqual(['user.updated']);
    const since = new Date(core.clock.now()).toISOString();
    const late = await call(core, 'listAudit', { token, query: { since, action: 'user.updated' } });
    expect(late.items).toHaveLength(1);
    const first = await call(core, 'listAudit', { token, query: { action: 'test', limit: 5 } });
    const second = await call(core, 'listAudit', {
      token,
      query: { action: 'test', limit: 5, cursor: first.next_cursor },
    });
    const targets = [...first.items, ...second.items].map((row) => row.target);
    expect(targets).toEqual(['row:6', 'row:5', 'row:4', 'row:3', 'row:2', 'row:1', 'row:0']);
  });

  it('exports every row as a line that verifies by itself', async () => {
    addRows(2_500);
    const text = (await call(core, 'exportAudit', { token: admin.token })).toString('utf8');
    const rows = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { seq: number; hash: string });
    expect(rows.map((row) => row.seq)).toEqual(rows.map((_row, index) => index + 1));
    const verdict = await verify();
    expect(rows.length).toBeGreaterThan(2_500);
    expect(verdict.ok).toBe(true);
  });

  it('refuses a cursor that is not ours', async () => {
    const answer = await callRaw(core, 'listAudit', { token: admin.token, query: { cursor: 'x;DROP' } });
    expect(answer.status).toBe(400);
  });
});
