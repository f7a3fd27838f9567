/** Settings of an org. */
import type { Sqlite } from '@siphera/runtime/base';
import type { Tx } from '../../kernel/transaction.ts';

export type StoredSettings = { org_name: string; outbound_allow: string[]; transcript_required: boolean };

export function readSettings(db: Sqlite, orgId: string): StoredSettings {
  const org = db.prepare<[string], { name: string }>('SELECT name FROM orgs WHERE id = ?').get(orgId);
  return {
    org_name: org?.name ?? '',
    // LAN ranges in CIDR form that webhooks of the org may call.
    outbound_allow: (readValue(db, orgId, 'outbound_allow') as string[] | undefined) ?? [],
    transcript_required: isTranscriptRequired(db, orgId),
  };
}

/** Whether an incident is closed only when the talk of its room was filed. */
export const isTranscriptRequired = (db: Sqlite, orgId: string): boolean =>
  readValue(db, orgId, 'transcript_required') === true;

type SettingName = 'outbound_allow' | 'transcript_required';

export const writeSetting = (
  { db, nowMs }: Pick<Tx, 'db' | 'nowMs'>,
  orgId: string,
  name: SettingName,
  value: unknown,
): void => {
  db.prepare(
    `INSERT INTO settings (org_id, name, value, updated_ms) VALUES (?, ?, ?, ?)
     ON CONFLICT (org_id, name) DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms`,
  ).run(orgId, name, JSON.stringify(value), nowMs);
};

function readValue(db: Sqlite, orgId: string, name: SettingName): unknown {
  const row = db
    .prepare<[string, string], { value: string }>('SELECT value FROM settings WHERE org_id = ? AND name = ?')
    .get(orgId, name);
  return row ? (JSON.parse(row.value) as unknown) : undefined;
}
