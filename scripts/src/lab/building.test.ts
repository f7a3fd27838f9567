import { DeviceKind } from '@siphera/contract';
import { describe, expect, test } from 'vitest';
import { cameras, devices, floors, motionOf, passages, planSize, rooms } from './building.ts';
import { drawPlan } from './plan.ts';

describe('the building', () => {
  test('has devices of every kind, each with an id of its own, in a room', () => {
    const kinds = [...devices.map((device) => device.kind), 'camera'];
    expect(new Set(kinds)).toEqual(new Set(DeviceKind.options));
    expect(new Set(devices.map((device) => device.id)).size).toBe(devices.length);
    const known = new Set(rooms.map((room) => room.key));
    expect(devices.filter((device) => !known.has(device.room))).toEqual([]);
  });

  test('every device lies on its plan, and hangs on a controller that is there', () => {
    for (const device of devices) {
      expect(device.x > 0 && device.x < planSize.width && device.y > 0 && device.y < planSize.height).toBe(
        true,
      );
      if (device.controller) expect(devices.map((other) => other.id)).toContain(device.controller);
    }
  });

  test('doors, readers and motion detectors of the day exist', () => {
    const ids = new Set(devices.map((device) => device.id));
    const used = [
      ...Object.keys(passages),
      ...Object.values(passages).flatMap(({ reader }) => reader ?? []),
      ...Object.values(motionOf),
    ];
    expect(used.filter((id) => !ids.has(id))).toEqual([]);
  });

  test('its cameras are in rooms and watch devices that are there; every way in is seen by one of the first four', () => {
    const [ids, known] = [devices.map(({ id }) => id), rooms.map(({ key }) => key)];
    expect(new Set(cameras.map(({ id }) => id)).size).toBe(16);
    expect(cameras.filter(({ room }) => !known.includes(room))).toEqual([]);
    expect(cameras.flatMap(({ watches }) => watches).filter((id) => !ids.includes(id))).toEqual([]);
    const seen = cameras.slice(0, 4).flatMap(({ watches }) => watches);
    for (const [door, { from }] of Object.entries(passages))
      if (from === 'outside') expect(seen).toContain(door);
  });

  test('its plans are drawn without text, script or anything from elsewhere', () => {
    for (const { key } of floors) {
      const svg = drawPlan(key);
      expect(svg).toMatch(/^<svg [^>]*width="1600" height="1000"/);
      expect(svg).not.toMatch(/<(text|script|image|use|foreignObject)|href|NaN|undefined/);
    }
  });
});
