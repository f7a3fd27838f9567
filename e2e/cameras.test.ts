/**
 * Cameras as people use them, in a real browser: found and added by the wizard, the live picture runs, the wall brings an alarm
 * to the front, the incident has its clip, footage is played back and exported, and the export is checked, then spoilt.
 * Screenshots go to docs/guide/screens when SCREENSHOTS is set.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  admin,
  call,
  deviceEvent,
  readPictureClock,
  repositoryRoot,
  setupAdmin,
  startBox,
  startFakeCamera,
  withChromium,
  type Box,
  type FakeCamera,
  type SetUp,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signIn } from './sign-in.ts';

const screens = join(repositoryRoot, 'docs', 'guide', 'screens');
let box: Box;
let setUp: SetUp;
let dock: FakeCamera;
let lobby: FakeCamera;
let area: { id: string };

beforeAll(async () => {
  box = await startBox({
    frontDoor: true,
    hostName: 'localhost',
    services: ['panel', 'signaling', 'camera'],
  });
  setUp = await setupAdmin(box);
  const { items: sites } = await call(box, 'listSites', { token: setUp.token });
  area = await call(box, 'createArea', {
    token: setUp.token,
    body: { site_id: sites[0]?.id ?? '', name: 'Loading dock' },
  });
  dock = await startFakeCamera({
    name: 'dock',
    password: 'a camera password',
    ptz: true,
    relays: 1,
    digitalInputs: 1,
    clockOffsetMs: 90_000,
    main: { fps: 10 },
    sub: { fps: 5 },
  });
  lobby = await startFakeCamera({
    name: 'lobby',
    password: 'a camera password',
    main: { fps: 10 },
    sub: false,
  });
});

afterAll(async () => {
  await dock.stop();
  await lobby.stop();
  await box.stop();
});

async function shot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: join(screens, `${name}.png`) });
}

/** Draws what a tile shows and gives its topmost band. As text: it runs in the page, whose types are not known here. */
const bandOf = `(tile) => {
  const videos = [...(tile?.querySelectorAll('video') ?? [])].filter((one) => one.readyState >= 2 && one.videoWidth > 0);
  const video = videos.find((one) => one.srcObject && getComputedStyle(one).opacity !== '0') ?? videos[0];
  if (!video) return null;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  const height = Math.floor(canvas.height / 18);
  return { data: [...context.getImageData(0, 0, canvas.width, height).data], width: canvas.width, height };
}`;
type Band = { data: number[]; width: number; height: number };

/** The time in the picture that a tile shows; 0 while there is none. */
async function clockIn(page: Page, tile: string): Promise<number> {
  const band = await page.evaluate<Band | null>(`(${bandOf})(document.querySelector('${tile}'))`);
  return (band && readPictureClock(band, { bandOnly: true })) ?? 0;
}
const tileOf = (cameraId: string): string => `.tile[data-camera="${cameraId}"]`;

/** Live: the picture runs, and shows what is now. */
async function expectLive(page: Page, cameraId: string): Promise<void> {
  const tile = tileOf(cameraId);
  const clock = (): Promise<number> => clockIn(page, tile);
  await expect
    .poll(() => page.locator(tile).first().getAttribute('data-phase'), { timeout: 60_000 })
    .toBe('playing');
  await expect.poll(clock, { timeout: 60_000 }).toBeGreaterThan(0);
  const first = await clock();
  await expect.poll(clock, { timeout: 60_000 }).toBeGreaterThan(first + 1_000);
  expect(Date.now() - (await clock())).toBeLessThan(30_000);
}

async function addOne(page: Page): Promise<string> {
  await page.goto(`${box.origin}/cameras/add`);
  await page.getByLabel('Address').fill(`${dock.host}:${String(dock.httpPort)}`);
  await page.getByLabel('User name').fill(dock.credentials.username);
  await page.getByLabel('Password').fill(dock.credentials.password);
  await page.getByRole('button', { name: 'Ask the camera' }).click();
  // By whole seconds, and by when its answer came.
  await page.getByText(/Its clock is (8[5-9]|9[0-5]) s ahead/).waitFor({ timeout: 60_000 });
  await page.getByLabel('Name', { exact: true }).fill('Dock camera');
  await page.getByLabel('Area').selectOption(area.id);
  await page.getByText('At today’s bitrates you keep').waitFor();
  await shot(page, 'cameras-add-one');
  await page.getByRole('button', { name: 'Add camera', exact: true }).click();
  await page.getByText('Dock camera was added').waitFor({ timeout: 60_000 });
  const { items } = await call(box, 'listCameras', { token: setUp.token });
  return items[0]?.id ?? '';
}

async function addMany(page: Page): Promise<string> {
  await page.goto(`${box.origin}/cameras/add?how=many`);
  await page.getByLabel('Further addresses and ranges').fill(`${lobby.host}:${String(lobby.httpPort)}`);
  await page.getByLabel('Password 1').fill(lobby.credentials.password);
  await page.getByRole('button', { name: 'Search', exact: true }).click();
  await page.getByRole('button', { name: /^Ask \d/ }).click({ timeout: 60_000 });
  await page.getByText('Ready', { exact: true }).first().waitFor({ timeout: 60_000 });
  await page.getByLabel('Names').fill('Lobby {n}');
  await page.locator('form.all select').selectOption(area.id);
  await page.getByRole('button', { name: /^Set for/ }).click();
  await shot(page, 'cameras-add-many');
  await page.getByRole('button', { name: 'Add 1 camera' }).click();
  await page.getByText('1 added').waitFor({ timeout: 60_000 });
  const { items } = await call(box, 'listCameras', { token: setUp.token });
  return items.find((one) => one.name === 'Lobby 1')?.id ?? '';
}

async function forceTheDoor(): Promise<void> {
  const { token } = setUp;
  const controller = await call(box, 'createDevice', {
    token,
    body: { area_id: area.id, kind: 'controller', name: 'Dock controller' },
  });
  const door = await call(box, 'createDevice', {
    token,
    body: { area_id: area.id, kind: 'door', name: 'Loading dock door', parent_id: controller.id },
  });
  const agent = await box.mosquitto.connect(await box.mosquitto.issueClientCert(controller.id));
  const event = { id: randomUUID(), type: 'door.forced', subject: door.id };
  await deviceEvent(agent, { org: controller.org_id, device: controller.id, sequence: 1, event });
  await agent.endAsync();
}

async function watchTheWall(page: Page, ids: readonly string[]): Promise<void> {
  await page.goto(`${box.origin}/wall`);
  for (const id of ids) await expectLive(page, id);
  await shot(page, 'wall');
  await forceTheDoor();
  const alarm = page.getByRole('alert', { name: 'Loading dock door was forced open' });
  await alarm.waitFor({ timeout: 60_000 });
  for (const id of ids)
    await expect
      .poll(() => alarm.locator(`.tile[data-camera="${id}"]`).getAttribute('data-phase'), { timeout: 60_000 })
      .toBe('playing');
  await shot(page, 'wall-alarm');
  await alarm.getByRole('button', { name: 'Acknowledge' }).click();
  await alarm.waitFor({ state: 'hidden' });
}

async function lookAtTheIncident(page: Page, ids: readonly string[]): Promise<void> {
  const { items } = await call(box, 'listIncidents', { token: setUp.token });
  const incident = items[0]!;
  await page.goto(`${box.origin}/incidents/${incident.id}`);
  await page
    .getByText('Being kept')
    .or(page.getByText('Kept', { exact: true }))
    .first()
    .waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Play from 10 s before' }).click();
  for (const id of ids) {
    const played = `${tileOf(id)}[data-state]`;
    await expect
      .poll(() => page.locator(played).first().getAttribute('data-state'), { timeout: 60_000 })
      .toBe('playing');
    const shown = (): Promise<number> => clockIn(page, played);
    await expect.poll(shown, { timeout: 60_000 }).toBeGreaterThan(Date.parse(incident.opened_at) - 11_500);
    expect(await shown()).toBeLessThan(Date.parse(incident.opened_at) + 20_000);
  }
  await shot(page, 'incident-cameras');
}

async function playBackAndExport(page: Page, ids: readonly string[]): Promise<string> {
  await page.goto(`${box.origin}/playback?cameras=${ids.join(',')}`);
  await page.getByLabel('Reason').fill('Who forced the dock door?');
  await page.getByRole('button', { name: 'Look at footage' }).last().click();
  const seconds = async (id: string): Promise<number> => (await clockIn(page, tileOf(id))) / 1_000;
  for (const id of ids) await expect.poll(() => seconds(id), { timeout: 60_000 }).toBeGreaterThan(0);
  await expect
    .poll(async () => Math.abs((await seconds(ids[0]!)) - (await seconds(ids[1]!))), { timeout: 60_000 })
    .toBeLessThan(1);
  const before = await seconds(ids[0]!);
  await page.getByRole('button', { name: '4×' }).click();
  await expect.poll(() => seconds(ids[0]!), { timeout: 60_000 }).toBeGreaterThan(before + 4);
  await page.keyboard.press('k');
  await page.keyboard.press('i');
  await page.keyboard.press('o');
  await shot(page, 'playback');
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Export footage' }).click();
  await page.getByRole('button', { name: 'Download' }).waitFor({ timeout: 60_000 });
  await shot(page, 'exports');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download' }).click(),
  ]);
  const file = join(box.dir, 'export.zip');
  await download.saveAs(file);
  return file;
}

/** 0: genuine by a key that is trusted; 3: whole, but nothing here says whose key it is; 1: not genuine. */
const verify = (file: string): Promise<number> =>
  new Promise((resolve) => {
    const cli = join(repositoryRoot, 'scripts', 'src', 'siphera', 'main.ts');
    execFile(process.execPath, [cli, 'verify-evidence', file], (error) => resolve(Number(error?.code ?? 0)));
  });

it(
  'takes a camera from its address to live, wall, incident, playback and a checked export',
  { timeout: 420_000 },
  async () => {
    const context = { viewport: { width: 1440, height: 900 } };
    await withChromium({ caFile: box.mosquitto.ca.caFile, hosts: [], context }, async ({ page }) => {
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text()))
          faults.push(message.text());
      });
      // Without the file picker, which no test can answer, a page saves as browsers always did.
      await page.addInitScript('delete window.showSaveFilePicker');
      await signIn(page, box.origin, admin);
      await page.getByRole('button', { name: 'Go on without a test' }).click();
      const first = await addOne(page);
      await expectLive(page, first);
      const ids = [first, await addMany(page)];
      await page.goto(`${box.origin}/cameras/${first}`);
      await expectLive(page, first);
      await page.getByRole('button', { name: 'Left', exact: true }).press('Enter');
      await expect.poll(() => dock.ptzLog.length, { timeout: 60_000 }).toBeGreaterThan(0);
      await shot(page, 'camera');
      await page.goto(`${box.origin}/cameras`);
      await page.getByRole('link', { name: 'Lobby 1' }).waitFor();
      await shot(page, 'cameras');
      await watchTheWall(page, ids);
      await lookAtTheIncident(page, ids);
      const file = await playBackAndExport(page, ids);
      expect(faults).toEqual([]);
      expect([0, 3]).toContain(await verify(file));
      const bytes = readFileSync(file);
      const middle = Math.floor(bytes.length / 2);
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      writeFileSync(file, bytes);
      expect(await verify(file)).toBe(1);
    });
  },
);
