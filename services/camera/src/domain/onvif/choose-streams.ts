/** Which media profile is recorded and which is shown small. Pure. */
import type { MediaProfile } from './answers.ts';

/** Below this an H.264 picture is no evidence of anything: then the camera's best, whatever its codec, is recorded. */
const mainPixelsMin = 1_280 * 720;
/** A tile of the wall; smaller pictures are of no use even there. */
const subPixelsMin = 320 * 180;

const pixels = ({ width, height }: MediaProfile): number => (width ?? 0) * (height ?? 0);

/**
 * The largest H.264 profile where it is of useful size, since every browser plays it; else the largest of all. Sub: the
 * smallest useful H.264 one that is smaller than main.
 */
export function chooseStreams(
  profiles: readonly MediaProfile[],
  wanted: { main?: string | null | undefined; sub?: string | null | undefined } = {},
): { main: MediaProfile | undefined; sub: MediaProfile | undefined } {
  const streams = profiles.filter(({ video }) => video !== null);
  const bySize = [...streams].sort((a, b) => pixels(b) - pixels(a));
  const h264 = bySize.filter(({ video }) => video === 'h264');
  const [largest] = bySize;
  const useful = h264.find(
    (profile) => pixels(profile) >= Math.min(mainPixelsMin, largest ? pixels(largest) : 0),
  );
  const main = streams.find(({ token }) => token === wanted.main) ?? useful ?? largest;
  const smaller = (main ? h264 : []).filter(
    (profile) => profile.token !== main?.token && pixels(profile) < pixels(main as MediaProfile),
  );
  const sub =
    streams.find(({ token }) => token === wanted.sub) ??
    smaller.findLast((profile) => pixels(profile) >= subPixelsMin) ??
    smaller[0];
  return { main, sub: wanted.sub === null ? undefined : sub };
}
