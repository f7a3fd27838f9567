/** A box with an org, controllers with certificates and rules, as every benchmark of the whole path needs it. */
import { fork } from 'node:child_process';
import { call, setupAdmin, startBox, type Box, type BoxOptions } from '@siphera/testkit';
import type { LoadPlan, LoadReport } from './mqtt-load.ts';

export type Building = AsyncDisposable & {
  box: Box;
  token: string;
  orgId: string;
  areaId: string;
  devices: LoadPlan['devices'];
};
export type BuildingOptions = BoxOptions & { devices: number; rules: number };

/** Starts a box with that many enrolled controllers, and rules spread over them that look at each event and never fire. */
export async function startBuilding({ devices, rules, ...options }: BuildingOptions): Promise<Building> {
  const box = await startBox({
    services: [],
    env: { core: { LOG_LEVEL: 'warn' }, panel: { LOG_LEVEL: 'warn' }, signaling: { LOG_LEVEL: 'warn' } },
    ...options,
  });
  try {
    const { token, me } = await setupAdmin(box);
    const areas = await call(box, 'listAreas', { token, query: {} });
    const areaId = areas.items[0]?.id ?? '';
    const building: Building = {
      box,
      token,
      orgId: me.org.id,
      areaId,
      devices: [],
      [Symbol.asyncDispose]: () => box.stop(),
    };
    for (let number = 0; number < devices; number++) await addController(building, number);
    for (let number = 0; number < rules; number++) await addRule(building, number);
    return building;
  } catch (error) {
    await box.stop();
    throw error;
  }
}

/** Publishes events from a process of its own, so that the load is not counted as the box's work. */
export function runLoad(plan: LoadPlan): Promise<LoadReport> {
  const child = fork(new URL('./mqtt-load.ts', import.meta.url), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // The flags of a profiled parent are not the load's.
    execArgv: [],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (report: LoadReport) => resolve(report));
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code !== 0) reject(new Error(`The load ended with ${String(code)}`));
    });
    child.send(plan);
  });
}

async function addController({ box, token, areaId, devices }: Building, number: number): Promise<void> {
  const device = await call(box, 'createDevice', {
    token,
    body: { area_id: areaId, kind: 'controller', name: `Controller ${number}` },
  });
  const { certFile, keyFile } = await box.mosquitto.issueClientCert(device.id);
  devices.push({ id: device.id, certFile, keyFile });
}

async function addRule({ box, token, devices }: Building, number: number): Promise<void> {
  await call(box, 'createRule', {
    token,
    body: {
      name: `Warm ${number}`,
      trigger: {
        kind: 'event',
        types: ['telemetry.reading', 'motion.started'],
        scope: { device_ids: [devices[number % devices.length]?.id ?? ''] },
      },
      conditions: [{ kind: 'data', path: 'value', op: 'gt', value: 1_000 + number }],
      actions: [{ kind: 'incident', title: '{device} is warm', severity: 'low' }],
    },
  });
}
