/** What every benchmark gives: rows with our figure, a peer's of the same run where there is one, and what is asked for. */

export type BenchRow = {
  what: string;
  ours: number;
  unit: string;
  /** Which way is good. */
  better: 'more' | 'less';
  peer?: number;
  peerName?: string;
  /** What must be reached: by our own figure, or by how many times better than the peer it is. */
  target?: { ours: number } | { ratio: number };
};

export type BenchOptions = {
  /** Length of each timed part. */
  seconds: number;
  /** How often core is killed. */
  kills: number;
  /** Cameras that are recorded. */
  cameras: number;
  progress: (text: string) => void;
};

export type BenchCase = (options: BenchOptions) => Promise<BenchRow[]>;

/** How many times better ours is; below 1 the peer is better. Undefined without a peer. */
export function ratioOf({ ours, peer, better }: BenchRow): number | undefined {
  if (peer === undefined || ours === 0 || peer === 0) return undefined;
  return better === 'less' ? peer / ours : ours / peer;
}

/** Undefined where nothing is asked for. */
export function isReached(row: BenchRow): boolean | undefined {
  const { target } = row;
  if (!target) return undefined;
  if ('ratio' in target) return (ratioOf(row) ?? 0) >= target.ratio;
  return row.better === 'less' ? row.ours <= target.ours : row.ours >= target.ours;
}

/** The value below which `part` of the sorted samples lie. */
export const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
