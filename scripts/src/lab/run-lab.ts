/** Brings the building up on a box and keeps it alive, or plays one scene in it. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { RefusedCall, waitFor } from '@siphera/testkit';
import { systemClock, systemRandom } from '@siphera/runtime';
import { type BoxClient, signIn } from './box-client.ts';
import type { LabDevice } from './building.ts';
import { Controllers } from './controllers.ts';
import { Day } from './day.ts';
import { readKeys } from './keyboard.ts';
import { LabPanel, provisionPanel } from './lab-panel.ts';
import type { LabOptions } from './options.ts';
import { startCameras } from './start-cameras.ts';
import { type Building, enrolControllers, provisionBuilding } from './provision.ts';
import { clearAll, scenes, type SceneName, sceneOfKey, type Stage } from './scenes.ts';

const connectMsMax = 20_000;
const commitMsMax = 30_000;
const statusEveryMs = 10_000;
const defaultStartMinute = 8 * 60 + 10;

/** Runs the lab; resolves with the exit code. */
export async function runLab(options: LabOptions): Promise<number> {
  const say = (line: string): void => {
    if (!options.quiet)
      process.stdout.write(`${new Date(systemClock.now()).toTimeString().slice(0, 8)}  ${line}\n`);
  };
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const box = await signIn(options);
  const building = await provisionBuilding(box, say);
  const { dataDir, caFile } = options;
  const enrolled = await enrolControllers(box, building, {
    dataDir,
    caFile,
    boxUrl: options.box.origin,
    report: say,
  });
  const panel = await startPanel(options, box, building, say);
  const cameras = await startCameras({
    count: options.cameras,
    host: options.cameraHost,
    boxHost: options.box.hostname.replace(/^\[|\]$/g, ''),
    box,
    building,
    report: say,
  });
  const controllers = await Controllers.start(enrolled, (device, type, data) =>
    say(told(device, type, data)),
  );
  const stage: Stage = { controllers, panel, cameras, random: systemRandom, say, clearing: new Map() };
  try {
    await waitFor(
      'the controllers to connect',
      () => controllers.connected === controllers.size,
      connectMsMax,
    );
    say(`${controllers.size} controllers connected to ${options.box.host}`);
    return options.once === undefined ? await live(options, stage) : await playOnce(options.once, stage);
  } finally {
    await panel?.stop();
    await controllers.stop();
    await cameras?.stop();
  }
}

async function startPanel(
  options: LabOptions,
  box: BoxClient,
  building: Building,
  say: (line: string) => void,
): Promise<LabPanel | undefined> {
  if (!options.panel || (options.once !== undefined && options.once !== 'panel.alarm')) return undefined;
  try {
    await provisionPanel(box, building, say);
  } catch (error) {
    if (!(error instanceof RefusedCall)) throw error;
    say(`no panel: ${error.message}`);
    return undefined;
  }
  return new LabPanel({ ...options.panel, now: () => systemClock.now(), say });
}

async function playOnce(name: SceneName, stage: Stage): Promise<number> {
  const { controllers, say } = stage;
  // What an earlier run left on the disks goes first, so that the time below is the scene's own.
  await waitFor('earlier events to be committed', () => controllers.settled, commitMsMax);
  const started = systemClock.monotonic();
  await scenes[name].play(stage);
  await waitFor('the box to commit it', () => controllers.settled, commitMsMax);
  for (const timer of stage.clearing.keys()) clearTimeout(timer);
  say(`${name} committed by the box after ${Math.round(systemClock.monotonic() - started)} ms at most`);
  return 0;
}

async function live(options: LabOptions, stage: Stage): Promise<number> {
  const stop = new AbortController();
  const { controllers, panel, say } = stage;
  const keys = readKeys((key) => {
    if (key === 'q') stop.abort();
    const name = sceneOfKey(key);
    if (name) scenes[name].play(stage).catch((error: unknown) => say(`${name}: ${String(error)}`));
  });
  const end = (): void => stop.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const timer = options.durationMs === undefined ? undefined : setTimeout(end, options.durationMs);
  const startMinute = options.startMinute ?? (options.rate === 1 ? minuteNow() : defaultStartMinute);
  const { rate } = options;
  const day = new Day({
    controllers,
    panel,
    cameras: stage.cameras,
    clock: systemClock,
    random: systemRandom,
    rate,
    startMinute,
    say,
    signal: stop.signal,
  });
  say(
    `the day starts at ${clockFace(startMinute)}, ${rate} times as fast as real; keys: f h p s g t o a, q to quit`,
  );
  const status = setInterval(() => {
    const { connected, size, sent, held } = controllers;
    say(
      `-- ${clockFace(day.minute)}  ${day.inside} inside  ${connected}/${size} controllers  ${sent} sent  ${held} waiting`,
    );
  }, statusEveryMs);
  await Promise.all([day.run(), once(stop.signal, 'abort')]);
  clearInterval(status);
  clearTimeout(timer);
  keys.close();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
  for (const id of controllers.offline) await controllers.setNetwork(id, true);
  await clearAll(stage);
  await waitFor('the box to commit the rest', () => controllers.settled, commitMsMax);
  say(`stopped; ${controllers.sent} events sent, all committed`);
  return 0;
}

function told(device: LabDevice, type: string, data: Record<string, unknown> = {}): string {
  const { holder, note, direction } = data;
  const more = [holder, direction, note].filter((part) => typeof part === 'string').join(', ');
  return `${type.padEnd(18)} ${device.name}${more ? ` (${more})` : ''}`;
}

const clockFace = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

function minuteNow(): number {
  const now = new Date(systemClock.now());
  return now.getHours() * 60 + now.getMinutes();
}
