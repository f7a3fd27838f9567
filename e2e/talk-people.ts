/** People who talk, each in a browser of their own. */
import { call, withChromium, type Box, type ChromiumSession, type SetUp } from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { signIn } from './sign-in.ts';

export type Person = { id: string; name: string; email: string; password: string };

export async function addGuard(box: Box, { token, me }: SetUp, name: string): Promise<Person> {
  const person = {
    name,
    email: `${name.toLowerCase()}@example.org`,
    password: 'seven quiet otters dream',
  };
  const { id } = await call(box, 'createUser', { token, body: person });
  await call(box, 'createRoleBinding', {
    token,
    body: { subject: { kind: 'user', id }, role: 'guard', scope: { kind: 'org', id: me.org.id } },
  });
  return { id, ...person };
}

/** A browser with a microphone and a camera that are made, and with leave to use them. */
export const withTalker = <T>(box: Box, use: (session: ChromiumSession) => Promise<T>): Promise<T> =>
  withChromium(
    {
      caFile: box.mosquitto.ca.caFile,
      hosts: [box.hostName],
      args: [
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--allow-loopback-in-peer-connection',
        '--autoplay-policy=no-user-gesture-required',
      ],
      context: { permissions: ['microphone', 'camera', 'clipboard-read', 'clipboard-write'] },
    },
    use,
  );

/** Nobody listens here to whether an alarm would sound. */
export const skipSoundTest = (page: Page): Promise<void> =>
  page.addLocatorHandler(page.getByRole('button', { name: 'Go on without a test' }), (button) =>
    button.click(),
  );

/** Signs in and opens talk. @returns the recovery secret when it was shown. */
export async function setUpTalk(
  page: Page,
  box: Box,
  person: Person,
  kind: 'mine' | 'desk' = 'mine',
): Promise<string> {
  await skipSoundTest(page);
  await signIn(page, box.origin, person);
  await page.goto(`${box.origin}/talk`);
  await page.getByText(kind === 'mine' ? 'It is mine alone' : 'A desk where guards change').click();
  await page.getByRole('button', { name: 'Set up', exact: true }).click();
  const groups = page.getByLabel('Recovery secret');
  await groups.waitFor();
  const secret = (await groups.locator('span').allTextContents()).map((text) => text.slice(1));
  await page.getByRole('button', { name: 'I have written it down' }).click();
  await page.getByText('Just to be sure').waitFor();
  for (const [index, group] of secret.entries()) {
    const field = page.getByLabel(`Type group ${index + 1}`);
    if (await field.isVisible()) await field.fill(group);
  }
  await page.getByRole('button', { name: 'Confirm', exact: true }).click();
  await page.getByText('Choose a conversation').waitFor();
  return secret.join('-');
}

/** Begins a conversation with somebody who has talk. */
export async function writeTo(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'New conversation' }).first().click();
  await page.getByRole('dialog').getByText(name).first().click();
  await page.getByRole('textbox', { name: `Message to ${name}` }).waitFor();
}

export async function say(page: Page, to: string, text: string): Promise<void> {
  const box = page.getByRole('textbox', { name: `Message to ${to}` });
  await box.fill(text);
  await box.press('Enter');
}

/** Once the call that this page shows is so far. */
export const callPhase = (page: Page, wanted: string): Promise<void> =>
  page.locator(`[data-test="call"][data-phase="${wanted}"]`).waitFor();
