/** How long footage is kept at today's bitrates. Pure. */

export type RecordedCamera = {
  id: string;
  name: string;
  bytesPerDay: number;
  /** null: as long as there is room. */
  keepDays: number | null;
  quotaBytes: number | null;
  /** null: any storage. */
  storageId: string | null;
};
export type Room = { storageId: string; bytes: number };

export type Forecast = {
  bytesPerDay: number;
  roomBytes: number;
  /** null: nothing is recorded. */
  keepsDays: number | null;
  short: { cameraId: string; name: string; promisedDays: number; keepsDays: number }[];
};

/**
 * Each storage deletes its oldest, so on it every camera is kept for the same number of days, or as many as it was promised if
 * that is fewer. Cameras without a storage of their own fill all storages alike.
 */
export function forecast(cameras: readonly RecordedCamera[], rooms: readonly Room[]): Forecast {
  const bytesPerDay = sum(cameras.map((camera) => camera.bytesPerDay));
  const roomBytes = sum(rooms.map((room) => room.bytes));
  const daysOf = daysByStorage(cameras, rooms);
  const short = cameras.flatMap((camera) => {
    const fits = daysOf(camera.storageId);
    const byQuota = camera.quotaBytes === null ? Infinity : camera.quotaBytes / camera.bytesPerDay;
    const keepsDays = Math.min(fits, byQuota);
    const { keepDays: promisedDays } = camera;
    if (promisedDays === null || camera.bytesPerDay === 0 || keepsDays >= promisedDays) return [];
    return [{ cameraId: camera.id, name: camera.name, promisedDays, keepsDays: round(keepsDays) }];
  });
  return {
    bytesPerDay,
    roomBytes,
    keepsDays: bytesPerDay === 0 ? null : round(roomBytes / bytesPerDay),
    short,
  };
}

/** Days after which the oldest has to go, for a camera on a storage, or on any of them. */
function daysByStorage(
  cameras: readonly RecordedCamera[],
  rooms: readonly Room[],
): (storageId: string | null) => number {
  const isOwn = (camera: RecordedCamera): boolean =>
    rooms.some((room) => room.storageId === camera.storageId);
  const free = cameras.filter((camera) => !isOwn(camera));
  const roomBytes = sum(rooms.map((room) => room.bytes));
  const days = new Map(
    rooms.map((room) => {
      const share = roomBytes === 0 ? 0 : room.bytes / roomBytes;
      const here = [
        ...cameras.filter((camera) => camera.storageId === room.storageId),
        ...free.map((camera) => ({ ...camera, bytesPerDay: camera.bytesPerDay * share })),
      ];
      return [room.storageId, fillDays(here, room.bytes)] as const;
    }),
  );
  // Footage of a camera that may lie anywhere is as old as the storage that deletes first.
  const least = days.size === 0 ? 0 : Math.min(...days.values());
  return (storageId) => (storageId === null ? undefined : days.get(storageId)) ?? least;
}

/** The d for which Σ rate × min(promised, d) fills the room; Infinity when all promises fit. */
export function fillDays(
  cameras: readonly Pick<RecordedCamera, 'bytesPerDay' | 'keepDays'>[],
  roomBytes: number,
): number {
  let left = roomBytes;
  let rate = sum(cameras.map((camera) => camera.bytesPerDay));
  let reached = 0;
  const promises = cameras
    .filter((camera) => camera.keepDays !== null && camera.bytesPerDay > 0)
    .toSorted((a, b) => (a.keepDays ?? 0) - (b.keepDays ?? 0));
  for (const camera of promises) {
    const until = camera.keepDays ?? 0;
    const needs = rate * (until - reached);
    if (needs > left) return reached + left / rate;
    left -= needs;
    reached = until;
    rate -= camera.bytesPerDay;
  }
  return rate > 1e-6 ? reached + left / rate : Infinity;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const round = (days: number): number => Math.round(days * 10) / 10;
