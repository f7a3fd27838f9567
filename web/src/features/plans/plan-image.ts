/** Pictures of floor plans, read once with the bearer header and kept as object URLs. */
import { apiBlob } from '#api/client.ts';

/** Plans kept in memory; the oldest goes first. A building has a few, each some MB decoded. */
const keptMax = 12;
const kept = new Map<string, Promise<string>>();

/** Object URL of a floor's plan; `version` changes when the plan was replaced. */
export function planImage(floorId: string, version: string): Promise<string> {
  const key = `${floorId} ${version}`;
  const known = kept.get(key);
  if (known) return known;
  const made = apiBlob('getFloorPlan', { params: { id: floorId } }).then((blob) => URL.createObjectURL(blob));
  kept.set(key, made);
  made.catch(() => kept.delete(key));
  while (kept.size > keptMax) forgetOldest();
  return made;
}

/** Drops what is kept of a floor, after its plan was replaced. */
export function forgetPlan(floorId: string): void {
  for (const key of kept.keys()) if (key.startsWith(floorId)) drop(key);
}

function forgetOldest(): void {
  const key = kept.keys().next().value;
  if (key !== undefined) drop(key);
}

function drop(key: string): void {
  void kept.get(key)?.then((url) => URL.revokeObjectURL(url));
  kept.delete(key);
}
