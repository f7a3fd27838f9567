/**
 * `siphera verify-audit`: walks the audit log's hash chain in the database file itself, without asking core, so that a
 * manipulated core cannot vouch for itself. The formula is in docs/guide/operate.md.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from './command.ts';
import { openCopySafely } from './sqlite-files.ts';

type Row = Record<(typeof hashedColumns)[number], string | number> & { hash: string };

/** In this order they stand in the hashed JSON array, after the hash of the row before. */
const hashedColumns = [
  'seq',
  'id',
  'org_id',
  'at_ms',
  'actor_kind',
  'actor_id',
  'actor_name',
  'action',
  'target',
  'address',
  'detail',
] as const;
const genesisHash = '0'.repeat(64);

export type AuditVerdict = { rows: number; headHash: string; firstBadSeq?: number };

export const verifyAudit: Command = async ({ box, print }) => {
  const file = join(box.dataDir, 'core', 'core.sqlite');
  const verdict = checkAuditChain(file);
  if (verdict.firstBadSeq !== undefined) {
    print(`The audit log is NOT intact: row ${verdict.firstBadSeq} does not follow from the rows before it.`);
    print('Keep this machine as it is, copy the database aside, and compare with the last backup.');
    return 1;
  }
  print(`The audit log is intact: ${verdict.rows} rows, last hash ${verdict.headHash}`);
  print('Write the last hash down elsewhere: a later log must still contain it.');
  return Promise.resolve(0);
};

/** Reads all rows once, in order. The first one whose hash or number does not follow ends the walk. */
export function checkAuditChain(file: string): AuditVerdict {
  using open = openCopySafely(file);
  let headHash = genesisHash;
  let rows = 0;
  const select = open.db.prepare<[], Row>(`SELECT ${hashedColumns.join(', ')}, hash FROM audit ORDER BY seq`);
  for (const row of select.iterate()) {
    const text = JSON.stringify([headHash, ...hashedColumns.map((column) => row[column])]);
    const hash = createHash('sha256').update(text).digest('hex');
    if (row['seq'] !== rows + 1 || hash !== row.hash) {
      return { rows, headHash, firstBadSeq: Number(row['seq']) };
    }
    headHash = hash;
    rows += 1;
  }
  return { rows, headHash };
}
