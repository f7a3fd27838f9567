/** Layouts of the wall: slots on a grid, each empty or with a camera. Pure. */
import type { WallLayout } from '#features/cameras/camera-types.ts';

export type Place = { x: number; y: number; w: number; h: number };
export type Slot = Place & { camera: string | undefined };
export type Wall = { columns: number; rows: number; slots: Slot[] };
export const presets = ['1', '4', '6', '9', '16'] as const;
export type Preset = (typeof presets)[number];
/** Largest grid the box keeps. */
export const sideMax = 12;

const cell = (x: number, y: number, w = 1, h = 1): Slot => ({ x, y, w, h, camera: undefined });
const grid = (columns: number, rows: number): Slot[] =>
  Array.from({ length: columns * rows }, (_, index) => cell(index % columns, Math.floor(index / columns)));

/** One large picture and five around it. */
const six = (): Slot[] => [cell(0, 0, 2, 2), cell(2, 0), cell(2, 1), cell(0, 2), cell(1, 2), cell(2, 2)];

function emptyWall(preset: Preset): Wall {
  if (preset === '6') return { columns: 3, rows: 3, slots: six() };
  const side = Math.sqrt(Number(preset));
  return { columns: side, rows: side, slots: grid(side, side) };
}
export const freeWall = (columns: number, rows: number): Wall => ({
  columns,
  rows,
  slots: grid(columns, rows),
});

const camerasOf = (wall: Wall): string[] =>
  wall.slots.map((slot) => slot.camera).filter((id) => id !== undefined);

/** Another division that keeps the cameras in their order; those that have no place any more fall off the end. */
export function rearranged(wall: Wall, next: Wall, fallback: readonly string[] = []): Wall {
  const shown = camerasOf(wall);
  const queue = [...shown, ...fallback.filter((id) => !shown.includes(id))];
  return { ...next, slots: next.slots.map((slot, index) => ({ ...slot, camera: queue[index] })) };
}
export const withPreset = (wall: Wall, preset: Preset): Wall => rearranged(wall, emptyWall(preset));
export const presetOf = (wall: Wall): Preset | undefined =>
  presets.find((preset) => {
    const { columns, rows, slots } = emptyWall(preset);
    return (
      wall.columns === columns &&
      wall.rows === rows &&
      slots.length === wall.slots.length &&
      slots.every((slot) =>
        wall.slots.some((one) => one.x === slot.x && one.y === slot.y && one.w === slot.w),
      )
    );
  });

/** Puts a camera into a slot; where it was before becomes what was there. */
export function assign(wall: Wall, index: number, camera: string | undefined): Wall {
  const before = wall.slots.findIndex((slot) => slot.camera === camera && camera !== undefined);
  const replaced = wall.slots[index]?.camera;
  return {
    ...wall,
    slots: wall.slots.map((slot, at) => {
      if (at === index) return { ...slot, camera };
      return at === before ? { ...slot, camera: replaced } : slot;
    }),
  };
}

/** The first slot without a camera. */
export const freeSlot = (wall: Wall): number => wall.slots.findIndex((slot) => slot.camera === undefined);

const overlaps = (a: Place, b: Place): boolean =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Every cell that no slot covers becomes a slot of its own. */
function completed(columns: number, rows: number, slots: Slot[]): Slot[] {
  const missing = grid(columns, rows).filter((one) => !slots.some((slot) => overlaps(slot, one)));
  return [...slots, ...missing].sort((a, b) => a.y - b.y || a.x - b.x);
}

/** Makes a slot larger or smaller. Empty slots under it go; cameras under it move to what is left over. */
export function resized(wall: Wall, index: number, w: number, h: number): Wall {
  const slot = wall.slots[index];
  if (!slot) return wall;
  const place = {
    ...slot,
    w: Math.max(1, Math.min(w, wall.columns - slot.x)),
    h: Math.max(1, Math.min(h, wall.rows - slot.y)),
  };
  const covered = wall.slots.filter((one, at) => at !== index && overlaps(one, place));
  const rest = wall.slots.filter((one, at) => at !== index && !overlaps(one, place));
  let next: Wall = { ...wall, slots: completed(wall.columns, wall.rows, [place, ...rest]) };
  for (const { camera } of covered) {
    const free = freeSlot(next);
    if (camera !== undefined && free >= 0) next = assign(next, free, camera);
  }
  return next;
}

export const toTiles = (wall: Wall): WallLayout['tiles'] =>
  wall.slots.flatMap(({ camera, x, y, w, h }) =>
    camera === undefined ? [] : [{ camera_id: camera, x, y, w, h }],
  );

export function fromLayout(layout: Pick<WallLayout, 'columns' | 'rows' | 'tiles'>): Wall {
  const slots = layout.tiles.map(({ camera_id, x, y, w, h }) => ({ camera: camera_id, x, y, w, h }));
  return { columns: layout.columns, rows: layout.rows, slots: completed(layout.columns, layout.rows, slots) };
}

/** The slot that lies next in a direction, by the middle of the slots. */
export function neighbour(wall: Wall, index: number, direction: 'left' | 'right' | 'up' | 'down'): number {
  const from = wall.slots[index];
  if (!from) return 0;
  const middle = (slot: Place) => ({ x: slot.x + slot.w / 2, y: slot.y + slot.h / 2 });
  const here = middle(from);
  const sideways = direction === 'left' || direction === 'right';
  const sign = direction === 'left' || direction === 'up' ? -1 : 1;
  let best = index;
  let least = Infinity;
  wall.slots.forEach((slot, at) => {
    const there = middle(slot);
    const ahead = (sideways ? there.x - here.x : there.y - here.y) * sign;
    const aside = Math.abs(sideways ? there.y - here.y : there.x - here.x);
    if (at === index || ahead <= 0.01) return;
    const distance = ahead + aside * 2;
    if (distance < least) [least, best] = [distance, at];
  });
  return best;
}

/** Page `turn` of a sequence through all cameras, in as many slots as there are. */
export function sequenced(wall: Wall, cameras: readonly string[], turn: number): Wall {
  const count = wall.slots.length;
  const pages = Math.max(1, Math.ceil(cameras.length / count));
  const first = (turn % pages) * count;
  return { ...wall, slots: wall.slots.map((slot, index) => ({ ...slot, camera: cameras[first + index] })) };
}

/** A wall out of what the browser kept; undefined when that is not one. */
export function parseWall(text: string | null): Wall | undefined {
  if (text === null) return undefined;
  try {
    const wall = JSON.parse(text) as Partial<Wall>;
    const isWhole =
      typeof wall.columns === 'number' && typeof wall.rows === 'number' && Array.isArray(wall.slots);
    return isWhole
      ? { columns: wall.columns ?? 1, rows: wall.rows ?? 1, slots: wall.slots ?? [] }
      : undefined;
  } catch {
    return undefined;
  }
}
