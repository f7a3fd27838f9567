import { join } from 'node:path';
import { admin, type Box, call, setupAdmin, startBox } from '@siphera/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cameras } from './building.ts';
import type { LabOptions } from './options.ts';
import { runLab } from './run-lab.ts';

let box: Box;
let token: string;
let options: LabOptions;

beforeAll(async () => {
  box = await startBox({ frontDoor: true, hostName: 'localhost', services: ['camera'] });
  ({ token } = await setupAdmin(box));
  options = {
    box: new URL(box.origin),
    ca: box.mosquitto.ca.caPem,
    caFile: box.mosquitto.ca.caFile,
    email: admin.email,
    password: admin.password,
    dataDir: join(box.dir, 'lab'),
    panel: undefined,
    cameras: 2,
    cameraHost: '127.0.0.1',
    rate: 3_600,
    startMinute: 8 * 60,
    durationMs: undefined,
    once: undefined,
    quiet: true,
  };
});
afterAll(() => box.stop());

test('adds its cameras once, and they report what moves in front of them', async () => {
  expect(await runLab({ ...options, durationMs: 8_000 })).toBe(0);
  const first = await call(box, 'listCameras', { token });
  expect(first.items.map(({ name }) => name).sort()).toEqual(
    cameras
      .slice(0, 2)
      .map(({ name }) => name)
      .sort(),
  );
  expect(first.items.map(({ watches }) => watches.device_ids.length > 0)).toEqual([true, true]);
  const { items: seen } = await call(box, 'listEvents', {
    token,
    query: { type: 'motion.started', limit: 200 },
  });
  const ids = first.items.map(({ id }) => id);
  expect(seen.filter(({ device_id }) => ids.some((id) => id === device_id)).length).toBeGreaterThan(0);
  expect(await runLab({ ...options, durationMs: 1_000 })).toBe(0);
  const second = await call(box, 'listCameras', { token });
  expect(second.items.map(({ id }) => id).sort()).toEqual(ids.sort());
});
