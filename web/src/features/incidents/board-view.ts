/** What the board shows, in which order. Pure: new ones first, the worst on top, then who waits longest. */
import type { IncidentState, Severity } from '@siphera/contract';
import { severityRank } from '#features/alarm/alarm-policy.ts';

export type BoardRow = {
  id: string;
  number: number;
  title: string;
  severity: Severity;
  state: IncidentState;
  area_id: string | null;
  area_name: string | null;
  device_name: string | null;
  opened_at: string;
  assignee: { id: string; name: string } | null;
  acknowledged_by: { id: string; name: string } | null;
};
export type BoardFilter = {
  severities: readonly Severity[];
  /** Ids of an area and all below it; empty for everywhere. */
  areaIds: ReadonlySet<string>;
  text: string;
  /** Only what this user has taken. */
  mineOf?: string | undefined;
};
export type BoardSection<T> = { key: 'new' | 'progress'; rows: T[] };

const byUrgency = (a: BoardRow, b: BoardRow): number =>
  severityRank(b.severity) - severityRank(a.severity) || a.opened_at.localeCompare(b.opened_at);

export function fitsFilter(row: BoardRow, filter: BoardFilter): boolean {
  if (filter.severities.length > 0 && !filter.severities.includes(row.severity)) return false;
  if (filter.areaIds.size > 0 && !(row.area_id !== null && filter.areaIds.has(row.area_id))) return false;
  if (filter.mineOf !== undefined) {
    const mine = row.assignee ? row.assignee.id : row.acknowledged_by?.id;
    if (mine !== filter.mineOf) return false;
  }
  if (filter.text === '') return true;
  const text = [`#${String(row.number)}`, row.title, row.area_name ?? '', row.device_name ?? '']
    .join(' ')
    .toLowerCase();
  return filter.text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function boardSections<T extends BoardRow>(
  rows: readonly T[],
  filter: BoardFilter,
): BoardSection<T>[] {
  const fit = rows.filter((row) => fitsFilter(row, filter)).sort(byUrgency);
  const sections: BoardSection<T>[] = [
    { key: 'new', rows: fit.filter((row) => row.state === 'new') },
    { key: 'progress', rows: fit.filter((row) => row.state === 'acknowledged' || row.state === 'assigned') },
  ];
  return sections.filter((section) => section.rows.length > 0);
}

/** The row `step` away from the chosen one; the first when none is chosen. */
export function neighbour(
  ids: readonly string[],
  chosen: string | undefined,
  step: 1 | -1,
): string | undefined {
  const index = chosen === undefined ? -1 : ids.indexOf(chosen);
  if (index < 0) return step === 1 ? ids[0] : ids.at(-1);
  return ids[Math.min(ids.length - 1, Math.max(0, index + step))];
}
