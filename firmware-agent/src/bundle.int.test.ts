import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Mosquitto, runCommand, startMosquitto, type TempDir, tempDir, waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AckBox } from '../testing/ack-box.ts';
import { buildBundle, Hardware, install, startBundle } from '../testing/bench.ts';
import { agentVersion } from './version.ts';

let dir: TempDir;
let mosquitto: Mosquitto;
let bundle: string;

beforeAll(async () => {
  dir = await tempDir('bundle');
  mosquitto = await startMosquitto({ dir: dir.path });
  await using empty = await tempDir('empty');
  bundle = await buildBundle(dir.path);
  // Started from a directory with nothing in it: whatever it needs must be inside the one file.
  await runCommand('sh', ['-c', `cd ${empty.path} && ${process.execPath} ${bundle} --version`]);
});
afterAll(async () => {
  await mosquitto.stop();
  await dir.remove();
});

test('the version it tells is the one of its package', async () => {
  const text = await readFile(join(import.meta.dirname, '../package.json'), 'utf8');
  expect((JSON.parse(text) as { version: string }).version).toBe(agentVersion);
});

test('nothing the agent accepted is lost or out of order when it is killed again and again', async () => {
  const installed = await install(dir.path, mosquitto);
  const box = await AckBox.connect(mosquitto);
  await using agent = await startBundle(bundle, installed);
  const hardware = new Hardware(installed);
  let next = 0;
  for (let round = 0; round < 20; round += 1) {
    await hardware.connect();
    const before = hardware.accepted.length;
    for (let n = 0; n < 100; n += 1) hardware.report((next += 1));
    await waitFor('some to be accepted', () => hardware.accepted.length > before + round * 4);
    await agent.kill9();
    await agent.start();
  }
  await hardware.connect();
  await waitFor('all to be accepted', () => hardware.accepted.length >= next);
  await box.waitForEvents(next);
  expect(box.numbers()).toEqual(Array.from({ length: next }, (_, index) => index + 1));
  expect(box.gaps).toEqual([]);
  hardware.close();
  await box.close();
});

test('a second agent on the same data refuses to start', async () => {
  const installed = await install(dir.path, mosquitto);
  await using first = await startBundle(bundle, installed);
  const second = runCommand(process.execPath, [bundle, 'run', '--config', installed.configFile]);
  await expect(second).rejects.toThrow(/Another agent uses/);
  expect(first.running).toBe(true);
});

test('bad lines of a driver are refused by name and hurt nobody else', async () => {
  const installed = await install(dir.path, mosquitto);
  const box = await AckBox.connect(mosquitto);
  await using _agent = await startBundle(bundle, installed);
  const hardware = new Hardware(installed);
  await hardware.connect();
  hardware.raw('not json\n');
  hardware.send({ event: { type: 'motion.started', dat: {} } });
  hardware.send({ event: { type: 'motion.started', device: 'x', ref: 1 } });
  hardware.report(42);
  await waitFor('the answers', () => hardware.heard.length >= 5);
  const refused = hardware.heard.flatMap((message) => message['refused'] ?? []) as { code: string }[];
  expect(refused.map((refusal) => refusal.code).sort()).toEqual([
    'event_invalid',
    'event_invalid',
    'unknown_device',
  ]);
  hardware.raw(`${'x'.repeat(80_000)}\n`);
  await hardware.connect();
  hardware.report(43);
  await box.waitForEvents(2);
  expect(box.numbers()).toEqual([42, 43]);
  hardware.close();
  await box.close();
});

test('a command reaches the hardware process and its answer the box', async () => {
  const installed = await install(dir.path, mosquitto);
  const box = await AckBox.connect(mosquitto);
  await using _agent = await startBundle(bundle, installed);
  const hardware = new Hardware(installed);
  await hardware.connect();
  await waitFor('online', () => box.states.some((state) => state.online));
  const id = '01930000-0000-7000-8000-00000000c0de';
  const args = { seconds: 5 };
  const expires_at = '2096-01-01T00:00:00Z';
  await box.command(installed.deviceId, { id, name: 'unlock', target: installed.deviceId, args, expires_at });
  await waitFor('the result', () => box.results.length === 1);
  expect(box.results[0]).toMatchObject({ id, ok: true, state: 'unlocked' });
  hardware.close();
  await box.close();
});
