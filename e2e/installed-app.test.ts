/**
 * The installed console without its box, in a real browser: it opens, shows what it knew, takes what a guard does, and brings it to the
 * box when that is back, whoever was first meanwhile. And a new release: it comes by itself, but not into the middle of an incident.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import {
  admin,
  call,
  repositoryRoot,
  setupAdmin,
  startBox,
  tempDir,
  waitFor,
  withChromium,
  type Box,
  type SetUp,
  type TempDir,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signIn } from './sign-in.ts';

let web: TempDir;
let box: Box;
let setUp: SetUp;

beforeAll(async () => {
  web = await tempDir('web');
  await cp(join(repositoryRoot, 'web', 'dist'), web.path, { recursive: true });
  box = await startBox({ frontDoor: { webDir: web.path } });
  setUp = await setupAdmin(box);
  const { id } = await call(box, 'createUser', { token: setUp.token, body: greta });
  await call(box, 'createRoleBinding', {
    token: setUp.token,
    body: {
      subject: { kind: 'user', id },
      role: 'guard',
      scope: { kind: 'org', id: setUp.me.org.id },
    },
  });
  const { email, password } = greta;
  gretaToken = (await call(box, 'login', { body: { email, password, device_name: 'Desk' } })).access_token;
});
afterAll(async () => {
  await box.stop();
  await web.remove();
});

async function openIncident(title: string): Promise<string> {
  const areas = await call(box, 'listAreas', { token: setUp.token });
  const incident = await call(box, 'createIncident', {
    token: setUp.token,
    body: { title, severity: 'high', area_id: areas.items[0]?.id ?? '' },
  });
  return incident.id;
}
const incidentOf = (id: string) => call(box, 'getIncident', { token: setUp.token, params: { id } });
const isControlled = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('navigator.serviceWorker.controller?.state === "activated"');
const greta = { name: 'Greta', email: 'greta@example.org', password: 'seven quiet otters dream' };
let gretaToken = '';
/** Somebody else, at a console that is not behind the front door which is down. */
async function acknowledgeAtTheBox(id: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${box.core.httpPort}/api/v1/incidents/${id}/acknowledge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gretaToken}`, 'content-type': 'application/json' },
    body: '{}',
  });
  expect(answer.status).toBe(200);
}
/** A page that was loaded without a click asks whether it may sound; here nobody listens. */
const skipSoundTest = (page: Page): Promise<void> =>
  page.addLocatorHandler(page.getByRole('button', { name: 'Go on without a test' }), (button) =>
    button.click(),
  );
/** The worker has all files of the shell, and the list of incidents has been written. */
async function settle(page: Page): Promise<void> {
  await waitFor('the worker', () => isControlled(page));
  await page.waitForTimeout(3_000);
}

it('opens without the box, takes what is done, and brings it when the box is back', async () => {
  const options = { caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] };
  await withChromium(options, async ({ page }) => {
    await skipSoundTest(page);
    await signIn(page, box.origin, admin);
    const first = await openIncident('Gate left open');
    const second = await openIncident('Glass break in the lobby');
    await page.getByText('Gate left open').first().waitFor();
    await settle(page);

    await box.frontDoor!.daemon.stop();
    await page.goto(`${box.origin}/incidents/${first}`);
    await page.getByText('Gate left open').first().waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('1 act waits on this device').waitFor();
    await page.goto(`${box.origin}/incidents/${second}`);
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('2 acts wait on this device').waitFor();
    // It is on the disk: a browser that was closed meanwhile has it too.
    await page.reload();
    await page.getByText('2 acts wait on this device').waitFor();

    await box.frontDoor!.daemon.restart();
    await waitFor('both to be acknowledged', async () =>
      (await Promise.all([incidentOf(first), incidentOf(second)])).every(
        ({ state }) => state === 'acknowledged',
      ),
    );
    await page.getByText('on this device for the box').waitFor({ state: 'hidden' });
  });
});

it('notes on the incident what came too late, and says so to who did it', async () => {
  const options = { caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] };
  await withChromium(options, async ({ page }) => {
    await skipSoundTest(page);
    const id = await openIncident('Fence alarm north');
    await signIn(page, box.origin, admin);
    await page.goto(`${box.origin}/incidents/${id}`);
    await page.getByText('Fence alarm north').first().waitFor();
    await settle(page);
    await box.frontDoor!.daemon.stop();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('1 act waits on this device').waitFor();
    await acknowledgeAtTheBox(id);

    await box.frontDoor!.daemon.restart();
    await page.getByText('came too late and is noted there').waitFor();
    const { items } = await call(box, 'listTimeline', { token: setUp.token, params: { id }, query: {} });
    expect(items.map(({ kind, text }) => `${kind}: ${text}`)).toContainEqual(
      expect.stringMatching(/^comment: Done without connection at .*, arrived late: acknowledged\.$/),
    );
    expect((await incidentOf(id)).acknowledged_by?.name).toBe('Greta');
    await page.getByRole('button', { name: 'Understood' }).click();
    await page.getByText('came too late and is noted there').waitFor({ state: 'hidden' });
  });
});

it('takes a new release when nothing goes on, and not while an incident is open', async () => {
  const options = { caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] };
  await withChromium(options, async ({ page }) => {
    await skipSoundTest(page);
    const id = await openIncident('Door forced at the dock');
    await signIn(page, box.origin, admin);
    await page.goto(`${box.origin}/incidents/${id}`);
    await settle(page);
    await page.evaluate('window.before = true');
    // A release: the worker's file is another one.
    const worker = join(web.path, 'sw.js');
    writeFileSync(worker, `${readFileSync(worker, 'utf8')}\n// The next release.\n`);
    await page.evaluate('navigator.serviceWorker.getRegistration().then((one) => one.update())');
    await page.getByText('A new release of the console is ready').waitFor();
    expect(await page.evaluate('window.before')).toBe(true);
    await page.getByRole('button', { name: 'Load it now' }).click();
    await waitFor('the new page', async () => (await page.evaluate('window.before === undefined')) === true);
    await page.getByText('Door forced at the dock').first().waitFor();
    expect(await page.getByText('A new release of the console is ready').count()).toBe(0);
  });
});

it('shows a pushed alarm with its severity and place, and takes it away when it is cleared', async () => {
  const options = {
    caFile: box.mosquitto.ca.caFile,
    hosts: [box.hostName],
    context: { permissions: ['notifications'] },
  };
  await withChromium(options, async ({ page, context }) => {
    await skipSoundTest(page);
    const id = await openIncident('Panic button at reception');
    await signIn(page, box.origin, admin);
    await settle(page);
    const devtools = await context.newCDPSession(page);
    const registrations: { registrationId: string; scopeURL: string }[] = [];
    devtools.on('ServiceWorker.workerRegistrationUpdated', (event) =>
      registrations.push(...event.registrations),
    );
    await devtools.send('ServiceWorker.enable');
    await waitFor('the worker', () => registrations.length > 0);
    // What the browser hands over after it has decrypted it (RFC 8291).
    const push = (payload: unknown): Promise<unknown> =>
      devtools.send('ServiceWorker.deliverPushMessage', {
        origin: box.origin,
        registrationId: registrations.at(-1)!.registrationId,
        data: JSON.stringify(payload),
      });
    const shown = (): Promise<string[]> =>
      page.evaluate<string[]>(
        'navigator.serviceWorker.ready.then((one) => one.getNotifications()).then((all) => all.map((one) => `${one.title} / ${one.body}`))',
      );
    const receipt = 'a'.repeat(22);
    await push({
      kind: 'alarm',
      receipt,
      incident_id: id,
      number: 4,
      title: 'Panic button at reception',
      severity: 'critical',
      place: 'Ground floor, reception',
      opened_at: '2026-11-28T03:00:00.000Z',
    });
    await waitFor('the notification', async () => (await shown()).length > 0);
    expect(await shown()).toEqual(['Critical · Panic button at reception / Ground floor, reception · #4']);
    await push({ kind: 'message', receipt });
    await waitFor('the second', async () => (await shown()).length > 1);
    expect((await shown()).join()).toContain('New message / Open Siphera to read it.');
    await push({ kind: 'cleared', receipt, incident_id: id });
    await waitFor('the alarm to go', async () => !(await shown()).join().includes('Panic'));
    // Bytes that are no payload of ours are shown as such: a silent push would cost the permission.
    await devtools.send('ServiceWorker.deliverPushMessage', {
      origin: box.origin,
      registrationId: registrations.at(-1)!.registrationId,
      data: 'not json',
    });
    await waitFor('the plain one', async () => (await shown()).join().includes('Something needs you'));
  });
});

it('brings what was done by the worker alone when the console was closed meanwhile', async () => {
  const options = { caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] };
  await withChromium(options, async ({ page, context }) => {
    await skipSoundTest(page);
    const id = await openIncident('Heat in the archive');
    await signIn(page, box.origin, admin);
    await page.goto(`${box.origin}/incidents/${id}`);
    await page.getByText('Heat in the archive').first().waitFor();
    await settle(page);
    const devtools = await context.newCDPSession(page);
    const registrations: { registrationId: string; scopeURL: string }[] = [];
    devtools.on('ServiceWorker.workerRegistrationUpdated', (event) =>
      registrations.push(...event.registrations),
    );
    await devtools.send('ServiceWorker.enable');
    await waitFor('the worker', () => registrations.length > 0);
    await box.frontDoor!.daemon.stop();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText('1 act waits on this device').waitFor();
    // No page of the console is open any more.
    await page.goto('about:blank');
    await box.frontDoor!.daemon.restart();
    expect((await incidentOf(id)).state).toBe('new');
    await devtools.send('ServiceWorker.dispatchSyncEvent', {
      origin: box.origin,
      registrationId: registrations.at(-1)!.registrationId,
      tag: 'siphera-acts',
      lastChance: false,
    });
    await waitFor('the acknowledgement', async () => (await incidentOf(id)).state === 'acknowledged');
  });
});
