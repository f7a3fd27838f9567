/** What a guard typed and clicked above the board. Pure. */
import type { Severity } from '@siphera/contract';

export type BoardTab = 'open' | 'mine' | 'resolved' | 'closed';
export type FilterInput = { severities: Severity[]; areaId: string; text: string };

export const emptyFilter = (): FilterInput => ({ severities: [], areaId: '', text: '' });
export const hasFilter = (input: FilterInput): boolean =>
  input.severities.length > 0 || input.areaId !== '' || input.text.trim() !== '';

/** An area and all areas below it; empty for everywhere. */
export function withBelow(
  areaId: string,
  areas: readonly { id: string; parent_id: string | null }[],
): ReadonlySet<string> {
  if (areaId === '') return new Set();
  const found = new Set([areaId]);
  // Each round adds one level; the tree is not deeper than its number of areas, so a loop in the data ends too.
  for (let level = 0; level < areas.length; level += 1) {
    const before = found.size;
    for (const area of areas) if (area.parent_id !== null && found.has(area.parent_id)) found.add(area.id);
    if (found.size === before) break;
  }
  return found;
}
