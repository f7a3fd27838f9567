/** How long to wait after so many failures in a row: twice as long each time, up to a bound. */
export const doubling = (failures: number, { firstMs, maxMs }: { firstMs: number; maxMs: number }): number =>
  Math.min(firstMs * 2 ** Math.min(Math.max(failures - 1, 0), 30), maxMs);
