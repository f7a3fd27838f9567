/**
 * The whole thread on a fresh box, in a real browser: first admin by the wizard, a door forced by MQTT, the board rings, the
 * guard acknowledges, comments and resolves, the audit log verifies. Screenshots go to docs/guide/screens when SCREENSHOTS is set.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Box,
  call,
  deviceEvent,
  repositoryRoot,
  setupCode,
  startBox,
  withChromium,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

const person = { name: 'Ada Admin', email: 'ada@example.org', password: 'correct horse battery staple' };
const screens = join(repositoryRoot, 'docs', 'guide', 'screens');
let box: Box;

beforeAll(async () => {
  if (!existsSync(join(repositoryRoot, 'web', 'dist', 'index.html')))
    throw new Error('Build the console first: npm run build -w web');
  box = await startBox({ frontDoor: true });
});
afterAll(() => box.stop());

const shot = async (page: Page, name: string): Promise<void> => {
  if (process.env['SCREENSHOTS'] === undefined) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: join(screens, `${name}.png`) });
};

async function walkThroughSetup(page: Page, code: string): Promise<void> {
  await page.goto(`${box.origin}/`);
  await page.getByLabel('Setup code').fill(code);
  await shot(page, '1-setup');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Organisation').fill('Harbour Logistics');
  await page.getByLabel('Site', { exact: true }).fill('Main building');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Name', { exact: true }).fill(person.name);
  await page.getByLabel('E-mail address').fill(person.email);
  await page.getByLabel('Password', { exact: true }).fill(person.password);
  await page.getByLabel('Password again').fill(person.password);
  await page.getByRole('button', { name: 'Set up the box' }).click();
  await page.getByRole('button', { name: 'Play the alarm tone' }).click();
  await page.getByRole('button', { name: 'Yes' }).click();
  await page
    .getByRole('link', { name: 'Open the incident board' })
    .or(page.getByRole('button', { name: 'Open the incident board' }))
    .click();
}

async function makeDoor(token: string): Promise<{ org: string; controller: string; door: string }> {
  const { items } = await call(box, 'listAreas', { token });
  const { items: sites } = await call(box, 'listSites', { token });
  const site_id = sites[0]?.id ?? '';
  const area =
    items[0] ?? (await call(box, 'createArea', { token, body: { site_id, name: 'Loading dock' } }));
  const controller = await call(box, 'createDevice', {
    token,
    body: { area_id: area.id, kind: 'controller', name: 'Dock controller' },
  });
  const door = await call(box, 'createDevice', {
    token,
    body: { area_id: area.id, kind: 'door', name: 'Loading dock door', parent_id: controller.id },
  });
  return { org: controller.org_id, controller: controller.id, door: door.id };
}

it('takes a forced door from the controller to a resolved incident and a verified audit log', async () => {
  await withChromium(
    {
      caFile: box.mosquitto.ca.caFile,
      hosts: [box.hostName],
      context: { viewport: { width: 1440, height: 900 } },
    },
    async ({ page }) => {
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error' && /Content Security Policy|Refused to/.test(message.text()))
          faults.push(message.text());
      });
      await walkThroughSetup(page, await setupCode(box));
      await page.waitForURL(/\/incidents/);
      expect(await page.evaluate('isSecureContext')).toBe(true);
      await shot(page, '2-quiet-board');

      const { access_token: token } = await call(box, 'login', {
        body: { email: person.email, password: person.password, device_name: 'Test' },
      });
      const { org, controller, door } = await makeDoor(token);
      const agent = await box.mosquitto.connect(await box.mosquitto.issueClientCert(controller));
      await deviceEvent(agent, {
        org,
        device: controller,
        sequence: 1,
        event: { id: randomUUID(), type: 'door.forced', subject: door },
      });
      await agent.endAsync();

      await page.getByText('Loading dock door was forced open').first().waitFor();
      await shot(page, '3-alarm');
      await page.getByText('Loading dock door was forced open').first().click();
      await page.getByRole('button', { name: 'Acknowledge' }).first().click();
      await page
        .getByRole('link', { name: 'Open', exact: true })
        .or(page.getByRole('button', { name: 'Open', exact: true }))
        .first()
        .click();
      await page.waitForURL(/\/incidents\/.+/);
      await page.getByPlaceholder('Write a comment…').fill('Checked by camera: a delivery, wrong key.');
      await page.getByRole('button', { name: 'Send' }).click();
      await page.getByText('Checked by camera: a delivery, wrong key.').waitFor();
      await shot(page, '4-incident');
      await page.getByRole('button', { name: 'Resolve' }).first().click();
      await page
        .getByRole('radio', { name: 'False alarm' })
        .or(page.getByLabel('False alarm'))
        .first()
        .click();
      await shot(page, '5-resolve');
      await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
      await expect
        .poll(
          async () =>
            (await call(box, 'listIncidents', { token, query: { state: 'resolved' } })).items.length,
        )
        .toBe(1);
      await shot(page, '6-resolved');
      expect(faults).toEqual([]);

      const { items } = await call(box, 'listIncidents', { token });
      expect(items[0]).toMatchObject({ state: 'resolved', severity: 'high' });
      expect(await call(box, 'verifyAudit', { token })).toMatchObject({ ok: true });
    },
  );
});
