/** A console whose live service dies still rings: it reads core directly, under a red bar, and goes back when it can. */
import { admin, call, setupAdmin, startBox, withChromium, type Box, type SetUp } from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signIn } from './sign-in.ts';

let box: Box;
let setUp: SetUp;

beforeAll(async () => {
  box = await startBox({ frontDoor: true });
  setUp = await setupAdmin(box);
});
afterAll(() => box.stop());

const directLine = 'The live service is silent';

async function openIncident(title: string): Promise<void> {
  const areas = await call(box, 'listAreas', { token: setUp.token });
  await call(box, 'createIncident', {
    token: setUp.token,
    body: { title, severity: 'critical', area_id: areas.items[0]?.id ?? '' },
  });
}

const row = (page: Page, title: string) => page.getByText(title).first();

it('rings with signaling dead, and misses nothing on the way back', async () => {
  await withChromium({ caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] }, async ({ page }) => {
    await signIn(page, box.origin, admin);
    await openIncident('Before the fall');
    await row(page, 'Before the fall').waitFor();

    await box.signaling?.daemon.kill9();
    await page.getByText(directLine).first().waitFor();
    await openIncident('While signaling is dead');
    await row(page, 'While signaling is dead').waitFor();
    expect(await page.title()).toMatch(/2/);

    await box.signaling?.daemon.start();
    await page.getByText(directLine).first().waitFor({ state: 'hidden', timeout: 30_000 });
    await openIncident('After it came back');
    await row(page, 'After it came back').waitFor();
    expect(await page.getByText('While signaling is dead').count()).toBeGreaterThan(0);
  });
});
