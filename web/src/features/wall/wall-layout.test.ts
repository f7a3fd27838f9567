import { expect, it } from 'vitest';
import {
  assign,
  freeWall,
  fromLayout,
  neighbour,
  parseWall,
  presetOf,
  presets,
  rearranged,
  resized,
  sequenced,
  toTiles,
  withPreset,
} from '#features/wall/wall-layout.ts';

const four = rearranged(freeWall(2, 2), freeWall(2, 2), ['a', 'b', 'c', 'd']);
const cameras = (wall: { slots: { camera: string | undefined }[] }) => wall.slots.map((slot) => slot.camera);
const covers = (wall: { columns: number; rows: number; slots: { w: number; h: number }[] }) =>
  wall.slots.reduce((sum, slot) => sum + slot.w * slot.h, 0) === wall.columns * wall.rows;

it('has divisions that cover the whole wall and are known again', () => {
  for (const preset of presets) {
    const wall = withPreset(four, preset);
    expect(wall.slots).toHaveLength(Number(preset));
    expect(covers(wall)).toBe(true);
    expect(presetOf(wall)).toBe(preset);
  }
});

it('keeps the cameras in their order over another division', () => {
  expect(cameras(withPreset(four, '6'))).toEqual(['a', 'b', 'c', 'd', undefined, undefined]);
  expect(cameras(withPreset(withPreset(four, '6'), '1'))).toEqual(['a']);
});

it('exchanges two tiles, and shows no camera twice', () => {
  expect(cameras(assign(four, 3, 'a'))).toEqual(['d', 'b', 'c', 'a']);
  expect(cameras(assign(four, 0, 'x'))).toEqual(['x', 'b', 'c', 'd']);
  expect(cameras(assign(four, 1, undefined))).toEqual(['a', undefined, 'c', 'd']);
});

it('makes a tile larger, moves cameras from under it, and always covers the wall', () => {
  const wall = resized(rearranged(freeWall(3, 3), freeWall(3, 3), ['a', 'b', 'c']), 0, 2, 2);
  expect(wall.slots[0]).toMatchObject({ x: 0, y: 0, w: 2, h: 2, camera: 'a' });
  expect(new Set(cameras(wall))).toEqual(new Set(['a', 'b', 'c', undefined]));
  expect(covers(wall)).toBe(true);
  expect(resized(wall, 0, 99, 99).slots).toHaveLength(1);
});

it('comes back from the box and from the browser as it was', () => {
  const wall = resized(rearranged(freeWall(3, 2), freeWall(3, 2), ['a', 'b']), 0, 2, 1);
  expect(fromLayout({ columns: 3, rows: 2, tiles: toTiles(wall) })).toEqual(wall);
  expect(parseWall(JSON.stringify(wall))).toEqual(wall);
  expect(parseWall('{"columns":"2"}')).toBeUndefined();
  expect(parseWall('nonsense')).toBeUndefined();
});

it('moves the choice to the tile that lies in that direction', () => {
  expect([
    neighbour(four, 0, 'right'),
    neighbour(four, 0, 'down'),
    neighbour(four, 3, 'left'),
    neighbour(four, 0, 'up'),
  ]).toEqual([1, 2, 2, 0]);
});

it('goes through all cameras page by page', () => {
  expect(cameras(sequenced(four, ['a', 'b', 'c', 'd', 'e'], 1))).toEqual([
    'e',
    undefined,
    undefined,
    undefined,
  ]);
  expect(cameras(sequenced(four, ['a', 'b', 'c', 'd', 'e'], 2))).toEqual(['a', 'b', 'c', 'd']);
});
