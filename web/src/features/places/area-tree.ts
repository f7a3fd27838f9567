/** Puts areas in the order in which a person reads a building: parents, then what lies in them, by name. */
export type TreeArea = { id: string; parent_id: string | null; name: string };
export type AreaNode<T> = { area: T; depth: number };

export function areaTree<T extends TreeArea>(areas: readonly T[]): AreaNode<T>[] {
  const known = new Set(areas.map((area) => area.id));
  const byParent = Map.groupBy(areas, (area) =>
    area.parent_id !== null && known.has(area.parent_id) ? area.parent_id : '',
  );
  const seen = new Set<string>();
  const walk = (parent: string, depth: number): AreaNode<T>[] =>
    [...(byParent.get(parent) ?? [])]
      .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }))
      .flatMap((area) => {
        // A loop in the data must not hang the page.
        if (seen.has(area.id)) return [];
        seen.add(area.id);
        return [{ area, depth }, ...walk(area.id, depth + 1)];
      });
  return walk('', 0);
}

/** An area and all that lies in it. */
export function areaWithin(areas: readonly TreeArea[], id: string): ReadonlySet<string> {
  const within = new Set([id]);
  // Each pass goes one level deeper; it ends when a pass finds nothing new, so a loop in the data ends it too.
  for (let before = 0; before !== within.size;) {
    before = within.size;
    for (const area of areas) if (area.parent_id !== null && within.has(area.parent_id)) within.add(area.id);
  }
  return within;
}
