import { DeviceKind } from '@siphera/contract';
import { describe, expect, test } from 'vitest';
import { devices, floors, motionOf, passages, planSize, rooms } from './building.ts';
import { drawPlan } from './plan.ts';

describe('the building', () => {
  test('has forty devices, of every kind, each with an id of its own, in a room', () => {
    expect(devices).toHaveLength(40);
    expect(new Set(devices.map((device) => device.kind))).toEqual(new Set(DeviceKind.options));
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

  test('its plans are drawn without text, script or anything from elsewhere', () => {
    for (const { key } of floors) {
      const svg = drawPlan(key);
      expect(svg).toMatch(/^<svg [^>]*width="1600" height="1000"/);
      expect(svg).not.toMatch(/<(text|script|image|use|foreignObject)|href|NaN|undefined/);
    }
  });
});
