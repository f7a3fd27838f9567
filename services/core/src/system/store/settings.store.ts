/** Settings of an org. */
import type { Sqlite } from '@siphera/runtime/base';

export type StoredSettings = { org_name: string; outbound_allow: string[] };

export function readSettings(db: Sqlite, orgId: string): StoredSettings {
  const org = db.prepare<[string], { name: string }>('SELECT name FROM orgs WHERE id = ?').get(orgId);
  return { org_name: org?.name ?? '', outbound_allow: readOutboundAllow(db, orgId) };
}

/** LAN ranges in CIDR form that webhooks of the org may call. */
function readOutboundAllow(db: Sqlite, orgId: string): string[] {
  const row = db
    .prepare<[string], { value: string }>(
      `SELECT value FROM settings WHERE org_id = ? AND name = 'outbound_allow'`,
    )
    .get(orgId);
  return row ? (JSON.parse(row.value) as string[]) : [];
}
