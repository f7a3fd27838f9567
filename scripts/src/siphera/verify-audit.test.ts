import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkAuditChain } from './verify-audit.ts';

let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'audit-'));
  file = join(dir, 'core.sqlite');
  writeChain(3);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the walk of the audit log', () => {
  it('finds an untouched log intact and names its last hash', () => {
    const verdict = checkAuditChain(file);
    expect(verdict).toMatchObject({ rows: 3 });
    expect(verdict.firstBadSeq).toBeUndefined();
    expect(verdict.headHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('finds the row that was changed', () => {
    change("UPDATE audit SET actor_name = 'somebody else' WHERE seq = 2");
    expect(checkAuditChain(file).firstBadSeq).toBe(2);
  });

  it('finds the gap where a row was removed', () => {
    change('DELETE FROM audit WHERE seq = 2');
    expect(checkAuditChain(file).firstBadSeq).toBe(3);
  });
});

function change(sql: string): void {
  const db = openDatabase(file);
  db.exec(sql);
  db.close();
}

/** A log as docs/guide/operate.md describes it, written without the product's own code. */
function writeChain(rows: number): void {
  const db = openDatabase(file);
  db.exec(`CREATE TABLE audit (seq INTEGER PRIMARY KEY, id TEXT, org_id TEXT, at_ms INTEGER, actor_kind TEXT, actor_id TEXT,
    actor_name TEXT, action TEXT, target TEXT, address TEXT, detail TEXT, hash TEXT) STRICT`);
  let before = '0'.repeat(64);
  for (let seq = 1; seq <= rows; seq += 1) {
    const row = [
      seq,
      `id-${seq}`,
      'org',
      seq * 1_000,
      'user',
      'u1',
      'Ada “A”',
      'door.unlocked',
      'door:1',
      '10.0.0.1',
      '{"n": 1}',
    ];
    const hash = createHash('sha256')
      .update(JSON.stringify([before, ...row]))
      .digest('hex');
    db.prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(...row, hash);
    before = hash;
  }
  db.close();
}
