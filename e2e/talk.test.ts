/**
 * Talk as guards use it, each in a real browser: set up, written, read, called, brought to another device by one
 * secret. Screenshots go to docs/guide/screens when SCREENSHOTS is set.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot, setupAdmin, startBox, type Box } from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import {
  addGuard,
  callPhase,
  say,
  setUpTalk,
  skipSoundTest,
  withTalker,
  writeTo,
  type Person,
} from './talk-people.ts';
import { signIn } from './sign-in.ts';

const screens = join(repositoryRoot, 'docs', 'guide', 'screens');
let box: Box;
let anna: Person;
let bert: Person;

beforeAll(async () => {
  box = await startBox({ frontDoor: true, services: ['signaling'] });
  const setUp = await setupAdmin(box);
  anna = await addGuard(box, setUp, 'Anna');
  bert = await addGuard(box, setUp, 'Bert');
});
afterAll(() => box.stop());

async function shot(page: Page, name: string): Promise<void> {
  if (process.env['SCREENSHOTS'] === undefined) return;
  mkdirSync(screens, { recursive: true });
  await page.screenshot({ path: join(screens, `${name}.png`) });
}

it('carries words, files and a call between two guards, and the history to a new phone', async () => {
  await withTalker(box, async ({ page: annas }) => {
    await withTalker(box, async ({ page: berts }) => {
      await setUpTalk(annas, box, anna);
      const secret = await setUpTalk(berts, box, bert);

      await writeTo(annas, 'Bert');
      await say(annas, 'Bert', 'Door 4 is open, please have a look');
      await berts.getByText('Anna').first().click();
      await berts.getByText('Door 4 is open, please have a look').last().waitFor();
      await annas.getByTitle('Read', { exact: true }).first().waitFor();
      await say(berts, 'Anna', 'On my way');
      await annas.getByText('On my way').last().waitFor();
      await shot(annas, 'talk');
      expect(await accessibilityFaults(annas)).toEqual([]);

      await annas.getByRole('button', { name: 'Voice call' }).click();
      await callPhase(berts, 'ringing');
      await berts.locator('[data-test="accept"]').click();
      await Promise.all([callPhase(annas, 'connected'), callPhase(berts, 'connected')]);
      await annas.getByText('Good connection').waitFor();
      await shot(annas, 'talk-call');
      expect(await accessibilityFaults(annas)).toEqual([]);
      await annas.locator('[data-test="hang-up"]').click();
      await callPhase(berts, 'ended');
      await berts
        .getByText(/^Call, /)
        .first()
        .waitFor();

      // What is written is shown as it was written, and is never a part of the page.
      await say(
        annas,
        'Bert',
        'Look: <img src=x onerror="document.title=1"><script>document.title=2</script>',
      );
      await berts.getByText('Look: <img src=x onerror="document.title=1">').last().waitFor();
      expect(await berts.title()).not.toMatch(/^[12]$/);

      await withTalker(box, async ({ page: phone }) => {
        await skipSoundTest(phone);
        await signIn(phone, box.origin, bert);
        await phone.goto(`${box.origin}/talk`);
        await phone.getByText('It is mine alone').click();
        await phone.getByRole('button', { name: 'Set up', exact: true }).click();
        await phone.getByLabel('Recovery secret').fill(secret);
        await phone.getByRole('button', { name: 'Open', exact: true }).click();
        await phone.getByText('Anna').first().click();
        await phone.getByText('On my way').last().waitFor();
        await phone.getByText('Door 4 is open').last().waitFor();
        await berts.getByText('A new device of yours').first().waitFor();
        await say(annas, 'Bert', 'Both of your devices have this');
        for (const page of [berts, phone])
          await page.getByText('Both of your devices have this').last().waitFor();
      });
    });
  });
});
