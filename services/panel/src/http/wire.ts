/** Rows as the REST API shows them. Account keys never leave. */
import type { ImportReport, PanelAccount, PanelFrame, ZoneMapping } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { z } from 'zod';
import type { Zone } from '../domain/account.ts';
import { printable } from '../domain/frame.ts';
import type { ZoneRow } from '../domain/zone-csv.ts';
import type { AccountRow } from '../store/account.store.ts';
import type { FrameRow } from '../store/frame.store.ts';

/** `org` fills in for an account that waits and is nobody's yet. */
export function toPanelAccount(row: AccountRow, org: string): PanelAccount {
  return {
    id: row.id,
    org_id: row.org_id ?? org,
    site_id: row.site_id,
    account: row.account,
    state: row.state,
    name: row.name,
    device_id: row.device_id,
    area_id: row.area_id,
    key_set: row.key_sealed !== null,
    key_bits: row.key_bits,
    require_encryption: row.require_encryption === 1,
    supervision_ms: row.supervision_ms,
    supervision: row.supervision,
    ...(row.first_seen_ms === null ? {} : { first_seen_at: toRfc3339(row.first_seen_ms) }),
    ...(row.last_seen_ms === null ? {} : { last_seen_at: toRfc3339(row.last_seen_ms) }),
    ...(row.last_address === null ? {} : { last_address: row.last_address }),
    ...(row.transport === null ? {} : { transport: row.transport }),
    frames: row.frames,
    bad_frames: row.bad_frames,
    created_at: toRfc3339(row.created_ms),
  };
}

type ZoneWire = z.infer<typeof ZoneMapping>;

export const toZoneMapping = (zone: Zone): ZoneWire => ({
  partition: zone.partition,
  zone: zone.zone,
  name: zone.name,
  device_id: zone.deviceId,
  area_id: zone.areaId,
});

export const fromZoneMapping = (zone: ZoneWire): Zone => ({
  partition: zone.partition === '' ? null : zone.partition,
  zone: zone.zone === '' ? null : zone.zone,
  name: zone.name,
  deviceId: zone.device_id,
  areaId: zone.area_id,
});

export const toPanelFrame = (row: FrameRow): z.infer<typeof PanelFrame> => ({
  id: row.id,
  received_at: toRfc3339(row.received_ms),
  transport: row.transport,
  address: row.address,
  account: row.account,
  raw: printable(row.raw),
  verdict: row.verdict,
  reason: row.reason,
});

export function toImportReport(rows: ZoneRow[], applied: boolean): z.infer<typeof ImportReport> {
  const bad = rows.filter((row) => row.action === 'error').length;
  return {
    rows: rows.map(({ line, action, zone, errors }) => ({ line, action, name: zone.name, errors })),
    ok: rows.length - bad,
    bad,
    applied,
  };
}
