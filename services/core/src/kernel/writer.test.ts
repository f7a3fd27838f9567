import { AppError } from '@siphera/runtime';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../testing/memory-box.ts';
import { setTimer } from './timers.ts';
import type { Tx } from './transaction.ts';
import { Undone } from './writer.ts';

const addFact = (name: string) => (tx: Tx) => {
  tx.db.prepare('INSERT INTO facts (name, value) VALUES (?, ?)').run(name, '1');
  tx.change({
    kind: 'settings',
    action: 'created',
    id: name,
    orgId: 'o',
    audience: 'system.read',
    scopes: [],
  });
  return name;
};
const factNames = (db: ReturnType<typeof openMemory>['db']) =>
  db
    .prepare<[], { name: string }>(`SELECT name FROM facts WHERE name NOT LIKE 'feed%' ORDER BY name`)
    .all()
    .map((row) => row.name);

describe('Writer', () => {
  it('commits what came in one turn together and answers after the commit', async () => {
    const { writer, db, committed } = openMemory();
    const names = await Promise.all([
      writer.submit(addFact('a')),
      writer.submit(addFact('b')),
      writer.submit(addFact('c')),
    ]);
    expect(names).toEqual(['a', 'b', 'c']);
    expect(committed).toEqual([3]);
    expect(factNames(db)).toEqual(['a', 'b', 'c']);
  });

  it('undoes only the job that throws, and gives its feed positions back', async () => {
    const { writer, db } = openMemory();
    const bad = writer.submit((tx) => {
      addFact('bad')(tx);
      throw new AppError('conflict', 'no');
    });
    const good = writer.submit(addFact('good'));
    await expect(bad).rejects.toThrow('no');
    await good;
    expect(factNames(db)).toEqual(['good']);
    expect(db.prepare<[], { seq: number }>('SELECT seq FROM changes').all()).toEqual([{ seq: 1 }]);
  });

  it('answers a job that only wanted to see with its value, and keeps nothing of it', async () => {
    const { writer, db } = openMemory();
    const seen = writer.submit((tx) => {
      addFact('preview')(tx);
      throw new Undone({ rows: 1 });
    });
    await expect(seen).resolves.toEqual({ rows: 1 });
    expect(factNames(db)).toEqual([]);
  });

  it('runs hooks after the commit, and none of a job that was undone', async () => {
    const { writer } = openMemory();
    const ran: string[] = [];
    await writer.submit((tx) => tx.afterCommit(() => ran.push('kept')));
    const undone = writer.submit((tx) => {
      tx.afterCommit(() => ran.push('undone'));
      throw new Error('x');
    });
    await expect(undone).rejects.toThrow('x');
    expect(ran).toEqual(['kept']);
  });

  it('refuses cleanly on a full disk, stores nothing of it, and recovers when there is room', async () => {
    const { writer, db } = openMemory();
    await writer.submit(addFact('before'));
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages + 2}`);
    const big = 'x'.repeat(100_000);
    const full = writer.submit(
      (tx) => void tx.db.prepare('INSERT INTO facts (name, value) VALUES (?, ?)').run('big', big),
    );
    const alongside = writer.submit(addFact('alongside'));
    await expect(full).rejects.toMatchObject({ code: 'disk_full' });
    await expect(alongside).rejects.toMatchObject({ code: 'disk_full' });
    expect(writer.failure()).toBe('SQLITE_FULL');
    expect(factNames(db)).toEqual(['before']);
    db.pragma('max_page_count = 1000000');
    await writer.submit(addFact('after'));
    expect(writer.failure()).toBeUndefined();
    expect(factNames(db)).toEqual(['after', 'before']);
  });

  it('waits out the small corrections of a clock', async () => {
    const { writer, clock } = openMemory();
    const first = await writer.submit((tx) => tx.nowMs);
    clock.advance(-1_500);
    expect(await writer.submit((tx) => tx.nowMs)).toBe(first);
  });

  it('believes a clock that is set back by an hour, and moves the timers with it', async () => {
    const { writer, clock, db } = openMemory();
    const first = await writer.submit((tx) => {
      setTimer(tx, { owner: 'escalation', key: 'k', orgId: 'o', dueMs: tx.nowMs + 60_000 });
      return tx.nowMs;
    });
    clock.advance(-3_600_000);
    const undone = writer.submit(() => {
      throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
    });
    await expect(undone).rejects.toMatchObject({ code: 'disk_full' });
    expect(await writer.submit((tx) => tx.nowMs)).toBe(first - 3_600_000);
    await writer.submit(() => undefined);
    expect(db.prepare('SELECT due_ms FROM timers').get()).toEqual({ due_ms: first - 3_600_000 + 60_000 });
  });

  it('tells a caller to come again while another program holds the database', async () => {
    const { writer } = openMemory();
    const held = writer.submit(() => {
      throw Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });
    });
    await expect(held).rejects.toMatchObject({ code: 'overloaded' });
  });

  it('goes on counting feed positions after a restart', async () => {
    const { writer, db } = openMemory();
    await writer.submit(addFact('a'));
    db.prepare('DELETE FROM changes').run();
    const { Writer } = await import('./writer.ts');
    const again = new Writer({
      db,
      clock: { now: () => 1, monotonic: () => 1 },
      random: { uuid: () => 'u', bytes: Buffer.alloc, fraction: () => 0 },
      log: (await import('../testing/memory-box.ts')).quietLog,
      onCommit: () => undefined,
      onRollback: () => undefined,
    });
    await again.submit(addFact('b'));
    expect(db.prepare<[], { seq: number }>('SELECT seq FROM changes').all()).toEqual([{ seq: 2 }]);
  });
});
