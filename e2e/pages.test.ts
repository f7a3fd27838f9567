/**
 * Every page of the console on a building that lives: opened in a real browser, without a script error, within the content
 * policy, and without an accessibility fault (axe). With SCREENSHOTS set the pictures of the guides are taken on the way.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  admin,
  call,
  repositoryRoot,
  setupAdmin,
  startBox,
  waitFor,
  withChromium,
  type Box,
  type SetUp,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import { signIn } from './sign-in.ts';

const screens = join(repositoryRoot, 'docs', 'guide', 'screens');
const viewports = {
  desk: { width: 1440, height: 900 },
  small: { width: 1024, height: 768 },
  phone: { width: 390, height: 844 },
};

let box: Box;
let setUp: SetUp;
let lab: ChildProcess;

beforeAll(async () => {
  const services = ['panel', 'signaling', 'camera'] as const;
  box = await startBox({ frontDoor: true, hostName: 'localhost', services });
  setUp = await setupAdmin(box);
  lab = startLab();
  await waitFor(
    'the building to live',
    async () =>
      (await call(box, 'listEvents', { token: setUp.token, query: { type: 'access.granted' } })).items
        .length > 2,
  );
  for (const key of ['f', 'h', 'p']) lab.stdin?.write(key);
  await waitFor(
    'three incidents',
    async () => (await call(box, 'listIncidents', { token: setUp.token, query: {} })).items.length >= 3,
  );
  await waitFor('two cameras that are recorded', async () => {
    const { items } = await call(box, 'listCameras', { token: setUp.token });
    return items.filter(({ state }) => state.recording === 'recording').length >= 2;
  });
});

afterAll(async () => {
  lab.stdin?.write('q');
  await waitFor('the lab to end', () => lab.exitCode !== null).catch(() => lab.kill('SIGKILL'));
  await box.stop();
});

function startLab(): ChildProcess {
  const passwordFile = join(box.dir, 'lab-password');
  writeFileSync(passwordFile, admin.password, { mode: 0o600 });
  const options = [
    '--box',
    box.origin,
    '--ca',
    box.mosquitto.ca.caFile,
    '--email',
    admin.email,
    '--password-file',
    passwordFile,
  ];
  const place = [
    '--data',
    join(box.dir, 'lab'),
    '--panel',
    `127.0.0.1:${box.panel?.dc09Port ?? 0}`,
    '--rate',
    '600',
    '--camera-host',
    '127.0.0.1',
    '--cameras',
    '2',
    '--duration',
    '300',
    '--quiet',
  ];
  return spawn(process.execPath, [join(repositoryRoot, 'scripts', 'src', 'lab.ts'), ...options, ...place], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
}

/** Faults of the page itself; what axe finds is asked for apart. */
function watchFaults(page: Page): string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text()))
      faults.push(`${page.url()}: ${message.text()}`);
  });
  return faults;
}

async function shot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: join(screens, `${name}.png`) });
}

/** Until nothing of the page is still loading, and its entrance has ended. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState('load');
  await page.locator('h1').first().waitFor();
  await page.locator('.skeleton, [aria-busy=true]').first().waitFor({ state: 'hidden' });
  await page.waitForTimeout(400);
}

async function look(page: Page, faults: string[], name: string | undefined): Promise<void> {
  await settled(page);
  if (name !== undefined) await shot(page, name);
  faults.push(...(await accessibilityFaults(page)));
}

async function openFirstIncident(page: Page): Promise<void> {
  const { items } = await call(box, 'listIncidents', { token: setUp.token, query: { severity: 'high' } });
  await page.locator('nav a[href="/incidents"]').first().click();
  await page
    .getByText(items[0]?.title ?? 'none')
    .first()
    .click();
  const open = { name: 'Open', exact: true };
  await page.getByRole('link', open).or(page.getByRole('button', open)).first().click();
}

/** Sound stays untested: this machine has nobody to hear it. */
async function skipSoundTest(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Go on without a test' }).click();
}

const navPaths = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('nav a[href]')].map((link) => link.getAttribute('href'))`);

it.each(['dark', 'light'] as const)(
  'shows every page without a fault, %s',
  { timeout: 240_000 },
  async (colorScheme) => {
    await withChromium(
      { caFile: box.mosquitto.ca.caFile, hosts: [], context: { viewport: viewports.desk, colorScheme } },
      async ({ page }) => {
        const faults = watchFaults(page);
        await page.addInitScript(`localStorage.setItem('siphera_theme', '${colorScheme}')`);
        await signIn(page, box.origin, admin);
        await skipSoundTest(page);
        await settled(page);
        const paths = [...new Set(await navPaths(page))];
        expect(paths.length).toBeGreaterThan(5);
        for (const path of paths) {
          await page.locator(`nav a[href="${path}"]`).first().click();
          await page.waitForURL((url) => url.pathname.startsWith(path));
          await look(page, faults, colorScheme === 'dark' ? `page${path.replaceAll('/', '-')}` : undefined);
        }
        await openFirstIncident(page);
        await page.waitForURL(/\/incidents\/.+/);
        await look(page, faults, `page-incident-${colorScheme}`);
        await page.goto(`${box.origin}/wall`);
        await look(page, faults, undefined);
        await page.goto(`${box.origin}/trust`);
        await look(page, faults, colorScheme === 'dark' ? 'page-trust' : undefined);
        expect(faults).toEqual([]);
      },
    );
  },
);

it('works on a phone and on a small screen', { timeout: 120_000 }, async () => {
  for (const [name, viewport] of Object.entries({ small: viewports.small, phone: viewports.phone })) {
    await withChromium(
      { caFile: box.mosquitto.ca.caFile, hosts: [], context: { viewport } },
      async ({ page }) => {
        const faults = watchFaults(page);
        await signIn(page, box.origin, admin);
        await skipSoundTest(page);
        for (const path of ['/incidents', '/plans', '/cameras', '/playback']) {
          await page.goto(`${box.origin}${path}`);
          await look(page, faults, `${name}${path.replaceAll('/', '-')}`);
          const overflow = await page.evaluate<number>(
            'document.documentElement.scrollWidth - window.innerWidth',
          );
          expect(overflow).toBeLessThanOrEqual(0);
        }
        expect(faults).toEqual([]);
      },
    );
  }
});
