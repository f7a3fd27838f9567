/**
 * A desk that guards share, as they use it: change of guard in the menu, the next one signs in and sees nothing of the one before, who comes
 * back finds his talk by his password alone.
 */
import { setupAdmin, startBox, type Box } from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addGuard, say, setUpTalk, withTalker, writeTo, type Person } from './talk-people.ts';

let box: Box;
let anna: Person;
let bert: Person;
let cleo: Person;
/** What a guard who takes over waits for at most; far more than it takes on the smallest box. */
const openMsMax = 10_000;

beforeAll(async () => {
  box = await startBox({ frontDoor: true, services: ['signaling'] });
  const setUp = await setupAdmin(box);
  anna = await addGuard(box, setUp, 'Anna');
  bert = await addGuard(box, setUp, 'Bert');
  cleo = await addGuard(box, setUp, 'Cleo');
});
afterAll(() => box.stop());

async function changeGuard(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^My state/ }).click();
  await page.getByRole('menuitem', { name: 'Change of guard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Change of guard' }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/login'));
}

it('opens for each guard what is his, by his password alone', async () => {
  await withTalker(box, async ({ page: desk }) => {
    await withTalker(box, async ({ page: berts }) => {
      await Promise.all([setUpTalk(desk, box, anna, 'desk'), setUpTalk(berts, box, bert)]);
      await writeTo(desk, 'Bert');
      await say(desk, 'Bert', 'Keys are in the safe');
      await berts.getByText('Anna').first().click();
      await berts.getByText('Keys are in the safe').last().waitFor();

      await changeGuard(desk);
      await setUpTalk(desk, box, cleo, 'desk');
      await writeTo(desk, 'Bert');
      await say(desk, 'Bert', 'Cleo took over');
      await berts.getByText('Cleo took over').first().waitFor();
      expect(await desk.getByText('Keys are in the safe').count()).toBe(0);
      await say(berts, 'Anna', 'Safe is shut');

      await changeGuard(desk);
      await desk.getByLabel('E-mail address').fill(anna.email);
      await desk.getByLabel('Password', { exact: true }).fill(anna.password);
      desk.setDefaultTimeout(openMsMax);
      await desk.getByRole('button', { name: 'Sign in' }).click();
      await desk.getByRole('link', { name: /^Talk/ }).first().click();
      await desk.getByText('Bert').first().click();
      await desk.getByText('Keys are in the safe').last().waitFor();
      await desk.getByText('Safe is shut').last().waitFor();
      expect(await desk.getByText('Cleo took over').count()).toBe(0);
      expect(await desk.getByLabel('Recovery secret').count()).toBe(0);
    });
  });
});
