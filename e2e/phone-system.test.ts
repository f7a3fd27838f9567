/**
 * The phone system as an admin sets it up, in a real browser and with the box's own Kamailio: a number with its secret, a trunk and its
 * test, what a dialled number would do, and where help is sent. Screenshots as in talk.test.ts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  admin,
  openSipPeer,
  repositoryRoot,
  setupAdmin,
  startBox,
  startPsap,
  tempDir,
  waitFor,
  withChromium,
  type Box,
  type Psap,
  type TempDir,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import { signIn } from './sign-in.ts';
import { skipSoundTest } from './talk-people.ts';

const screens = join(repositoryRoot, 'docs', 'guide', 'screens');
let box: Box;
let dir: TempDir;
let provider: Psap;

beforeAll(async () => {
  dir = await tempDir('phone-system');
  box = await startBox({ frontDoor: true, services: ['signaling'], phones: true });
  provider = await startPsap({ dir: dir.path, address: '127.0.0.45' });
  await setupAdmin(box);
});
afterAll(async () => {
  await box.stop();
  await provider.stop();
  await dir[Symbol.asyncDispose]();
});

async function shot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: join(screens, `${name}.png`) });
}

async function withAdmin(use: (page: Page) => Promise<void>): Promise<void> {
  const options = {
    caFile: box.mosquitto.ca.caFile,
    hosts: [box.hostName],
    context: { viewport: { width: 1440, height: 900 }, locale: 'en-US' },
  };
  await withChromium(options, async ({ page }) => {
    await skipSoundTest(page);
    await signIn(page, box.origin, admin);
    await use(page);
  });
}

const save = (page: Page, name: 'Add' | 'Save'): Promise<void> =>
  page.getByRole('dialog').getByRole('button', { name, exact: true }).click();

it('gives a desk phone its number and secret, with which it signs in', async () => {
  await withAdmin(async (page) => {
    await page.goto(`${box.origin}/phone-system`);
    await page.getByText('No number yet').waitFor();
    await page.getByRole('button', { name: 'Add number' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Number', { exact: true }).fill('911');
    await dialog.getByLabel('Name', { exact: true }).fill('Gate');
    await save(page, 'Add');
    await dialog
      .getByText(/emergency/i)
      .first()
      .waitFor();
    await dialog.getByLabel('Number', { exact: true }).fill('301');
    await save(page, 'Add');
    await dialog.getByText('User name to sign in').waitFor();
    const username = await dialog.locator('dd').nth(1).innerText();
    const password = await dialog.locator('output').innerText();
    await dialog.getByLabel('I have stored it').check();
    await dialog.getByRole('button', { name: 'Done' }).click();
    const { sip } = box;
    if (!sip) throw new Error('this box has no phones');
    await using phone = await openSipPeer({
      server: sip,
      address: '127.0.0.61',
      number: '301',
      credentials: { username: username.trim(), password: password.trim() },
    });
    await waitFor('Kamailio to know the phone', async () => (await phone.register()).status === 200);
    await page
      .getByRole('row', { name: /301/ })
      .getByText(/127\.0\.0\.61/)
      .waitFor();
    await shot(page, 'phone-numbers');
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});

it('takes a trunk, tests it step by step, and says what a number would do', async () => {
  await withAdmin(async (page) => {
    await page.goto(`${box.origin}/phone-system`);
    await page.getByRole('tab', { name: 'Trunks' }).click();
    await page.getByText('No trunk takes emergency calls').waitFor();
    await page.getByRole('button', { name: 'Add trunk' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('City line');
    await dialog.getByLabel('Server', { exact: true }).fill(provider.address);
    await dialog.getByLabel('Port', { exact: true }).fill(String(provider.port));
    await dialog.getByLabel('How we are known').selectOption('address');
    await dialog.getByLabel('How the place is sent').selectOption('pidf-lo');
    await dialog.getByLabel('Numbers that ring here').fill('+15550100100 301');
    await save(page, 'Add');
    const row = page.getByRole('row', { name: /City line/ });
    await row.getByText('Answers').waitFor({ timeout: 60_000 });
    await row.getByRole('button', { name: 'Test' }).click();
    await dialog
      .getByText(/OPTIONS/)
      .first()
      .waitFor();
    await shot(page, 'phone-trunk-test');
    expect(await accessibilityFaults(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Done' }).click();

    await page.getByRole('tab', { name: 'Number plan' }).click();
    await page.getByLabel('Dialled').fill('9-911');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page
      .getByText(/emergency/i)
      .first()
      .waitFor();
    await shot(page, 'phone-plan');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('tab', { name: 'State' }).click();
    await page.getByText('In use').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});

it('takes a place for help, names what lacks, and shows which phones it covers', async () => {
  await withAdmin(async (page) => {
    await page.goto(`${box.origin}/emergency-calls`);
    await page.getByText('No place yet').waitFor();
    await page.getByRole('button', { name: 'Add place' }).first().click();
    const dialog = page.getByRole('dialog');
    const fields = {
      Place: 'Lobby',
      'House number': '7',
      Road: 'Dock',
      'Street suffix': 'St',
      City: 'Albany',
      State: 'NY',
    };
    for (const [label, text] of Object.entries(fields))
      await dialog.getByLabel(label, { exact: true }).fill(text);
    await dialog.getByLabel('Country (two letters)').fill('US');
    await dialog.getByRole('button', { name: 'Check' }).click();
    await dialog
      .getByText(/postal|PC/i)
      .last()
      .waitFor();
    await dialog.getByLabel('Postal code').fill('12207');
    await dialog.getByLabel('Floor', { exact: true }).fill('1');
    await dialog.getByLabel('Default of the site').check();
    await dialog.getByRole('button', { name: 'Check' }).click();
    await shot(page, 'emergency-place');
    await save(page, 'Add');
    await page.getByRole('cell', { name: /Lobby/ }).waitFor();
    await page.getByRole('tab', { name: 'Coverage' }).click();
    await page
      .getByRole('row', { name: /301 Gate/ })
      .getByText('Lobby')
      .waitFor();
    await shot(page, 'emergency-coverage');
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByRole('tab', { name: 'Drills' }).click();
    await page.getByText('No drill yet').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
  });
});
