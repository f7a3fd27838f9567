/** Which storage a camera's next segment goes to. Pure. */

export type StorageView = {
  id: string;
  isUsable: boolean;
  freeBytes: number;
  headRoomBytes: number;
  quotaBytes: number | null;
  usedBytes: number;
};

/** What may still be written, before older footage has to go. Negative: head-room or quota are overdrawn. */
const roomBytes = (view: StorageView): number =>
  Math.min(
    view.freeBytes - view.headRoomBytes,
    view.quotaBytes === null ? Infinity : view.quotaBytes - view.usedBytes,
  );

/** What a storage can hold of footage in all, what lies there included. */
export const capacityBytes = (view: StorageView): number =>
  Math.max(0, Math.min(view.usedBytes + view.freeBytes - view.headRoomBytes, view.quotaBytes ?? Infinity));

/** The wished one where it can be used; else the one with the most room. Undefined: none can be used. */
export function pickStorage(views: readonly StorageView[], wished: string | null): string | undefined {
  const usable = views.filter((view) => view.isUsable);
  const own = usable.find((view) => view.id === wished);
  if (own) return own.id;
  return usable.toSorted((a, b) => roomBytes(b) - roomBytes(a))[0]?.id;
}
