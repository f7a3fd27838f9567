/** Snapshots for links: whoever has one may ask as often as he likes, and the camera is asked once a second at most. */
import type { Clock } from '@siphera/runtime';
import type { Snapshooter } from '../../domain/kept-footage.ts';

const freshMs = 1_000;
/** Pictures are kept no longer than they are fresh; this many cameras at a time. */
const rememberedMax = 64;

export function sharedSnapshots(make: Snapshooter, clock: Clock): Snapshooter {
  const made = new Map<string, { picture: Promise<Buffer>; atMs: number }>();
  return (cameraId) => {
    const known = made.get(cameraId);
    if (known && clock.monotonic() - known.atMs < freshMs) return known.picture;
    if (made.size >= rememberedMax) made.clear();
    const picture = make(cameraId);
    made.set(cameraId, { picture, atMs: clock.monotonic() });
    // One that failed is tried anew by the next.
    picture.catch(() => made.delete(cameraId));
    return picture;
  };
}
