/** The zone map as rows of a table that is edited and saved whole. */
import type { ZoneRow } from '#features/panels/panel-types.ts';

export type ZoneDraft = { partition: string; zone: string; name: string; device_id: string; area_id: string };

export const toZoneDrafts = (rows: readonly ZoneRow[]): ZoneDraft[] =>
  rows.map((row) => ({
    partition: row.partition ?? '',
    zone: row.zone ?? '',
    name: row.name,
    device_id: row.device_id ?? '',
    area_id: row.area_id ?? '',
  }));

export const toZoneRows = (drafts: readonly ZoneDraft[]): ZoneRow[] =>
  drafts.map((draft) => ({
    partition: draft.partition.trim() || null,
    zone: draft.zone.trim() || null,
    name: draft.name.trim(),
    device_id: draft.device_id || null,
    area_id: draft.area_id || null,
  }));

const keyOf = (draft: ZoneDraft): string => `${draft.partition.trim()}/${draft.zone.trim()}`;

/** Indexes of rows that name a zone which an earlier row names already. */
export function repeatedZones(drafts: readonly ZoneDraft[]): ReadonlySet<number> {
  const seen = new Set<string>();
  const repeated = new Set<number>();
  for (const [index, draft] of drafts.entries()) {
    if (seen.has(keyOf(draft))) repeated.add(index);
    seen.add(keyOf(draft));
  }
  return repeated;
}
