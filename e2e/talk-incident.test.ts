/**
 * An incident as two guards work on it, each in a real browser: who acknowledges it is in its talk, who comes later reads it from the opening,
 * a call stands on the timeline, and where the box asks for the talk it closes only once that was filed.
 */
import { createPublicKey, verify } from 'node:crypto';
import { call, setupAdmin, startBox, waitFor, type Box, type SetUp } from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addGuard, callPhase, setUpTalk, withTalker, type Person } from './talk-people.ts';

let box: Box;
let setUp: SetUp;
let anna: Person;
let bert: Person;

beforeAll(async () => {
  box = await startBox({ frontDoor: true, services: ['signaling'] });
  setUp = await setupAdmin(box);
  anna = await addGuard(box, setUp, 'Anna');
  bert = await addGuard(box, setUp, 'Bert');
});
afterAll(() => box.stop());

async function openIncident(): Promise<string> {
  const { token } = setUp;
  const { items: sites } = await call(box, 'listSites', { token });
  const area = await call(box, 'createArea', {
    token,
    body: { site_id: sites[0]?.id ?? '', name: 'Dock' },
  });
  const { id } = await call(box, 'createIncident', {
    token,
    body: { title: 'Door forced at the dock', severity: 'high', area_id: area.id },
  });
  return id;
}
const talkOf = (page: Page) => page.getByRole('region', { name: 'Talk', exact: true });
async function write(page: Page, text: string): Promise<void> {
  const field = talkOf(page).getByRole('textbox', { name: /^Message to / });
  await field.fill(text);
  await field.press('Enter');
  await talkOf(page).getByText(text).last().waitFor();
}
const timeline = async (id: string) =>
  (await call(box, 'listTimeline', { token: setUp.token, params: { id }, query: {} })).items;

type Line = { sender: string; text?: string; must_ack?: true; acks: { user_id: string }[] };
/** What anybody can read and check in the file that the incident has now. */
async function readFiled(id: string) {
  const entry = (await timeline(id)).find(({ kind }) => kind === 'transcript');
  const bytes = await call(box, 'getAttachment', {
    token: setUp.token,
    params: { id: String(entry?.data['attachment_id']) },
  });
  const file = JSON.parse(bytes.toString()) as Record<'document' | 'device_key' | 'signature', string>;
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(file.device_key, 'base64').toString('base64url') },
    format: 'jwk',
  });
  expect(verify(null, Buffer.from(file.document), key, Buffer.from(file.signature, 'base64'))).toBe(true);
  return JSON.parse(file.document) as { complete: boolean; filed_by: string; messages: Line[] };
}

async function writeAndRead(annas: Page, berts: Page, url: string): Promise<void> {
  await annas.goto(url);
  await annas.getByRole('button', { name: 'Acknowledge' }).first().click();
  await write(annas, 'The gate at the dock is bent');
  await talkOf(annas).getByRole('button', { name: 'Must be acknowledged' }).click();
  await write(annas, 'Nobody drives through it');

  await berts.goto(url);
  await berts.getByRole('button', { name: 'Join the talk' }).click();
  await talkOf(berts).getByText('The gate at the dock is bent').waitFor();
  await talkOf(berts).getByText('Nobody drives through it').waitFor();
  await talkOf(berts).getByRole('button', { name: 'Understood' }).click();
  await talkOf(annas).getByText('All have acknowledged').waitFor();
}

async function callFromIncident(annas: Page, berts: Page): Promise<void> {
  await annas.locator('[data-test="call-from-incident"]').click();
  await annas.getByRole('menuitem', { name: 'Bert' }).click();
  await callPhase(berts, 'ringing');
  await berts.locator('[data-test="accept"]').click();
  await Promise.all([callPhase(annas, 'connected'), callPhase(berts, 'connected')]);
  await annas.locator('[data-test="hang-up"]').click();
  await callPhase(berts, 'ended');
  await annas
    .getByText(/^Call with Bert: /)
    .first()
    .waitFor();
}

/** Refused first, which leads to filing; then closed. */
async function fileAndClose(page: Page): Promise<void> {
  // Not by its role: what closes a short notice has the same name, and no text.
  const close = page.getByText('Close', { exact: true });
  await close.click();
  const dialog = page.getByRole('dialog', { name: 'File the talk into the incident' });
  await dialog.getByText('The talk of this incident has to be filed').waitFor();
  await dialog.getByText('The gate at the dock is bent').waitFor();
  await dialog.getByText('Nobody drives through it').waitFor();
  await dialog.getByRole('button', { name: 'File the talk' }).click();
  await page.getByText('The talk was filed').first().waitFor();
  await close.click();
  await page.getByText('Incident closed').first().waitFor();
  await page.getByRole('button', { name: 'Download talk-transcript-1.json' }).waitFor();
}

it('carries the talk of an incident from its acknowledgement to its file', async () => {
  await withTalker(box, async ({ page: annas }) => {
    await withTalker(box, async ({ page: berts }) => {
      await Promise.all([setUpTalk(annas, box, anna), setUpTalk(berts, box, bert)]);
      const id = await openIncident();
      await writeAndRead(annas, berts, `${box.origin}/incidents/${id}`);
      await callFromIncident(annas, berts);
      expect((await timeline(id)).filter(({ kind }) => kind === 'call')).toMatchObject([
        { actor: { id: anna.id }, data: { outcome: 'answered', with: [{ id: bert.id, name: 'Bert' }] } },
      ]);

      const { token } = setUp;
      await call(box, 'patchSettings', { token, body: { transcript_required: true } });
      await call(box, 'resolveIncident', { token, params: { id }, body: { code: 'real', note: '' } });
      await fileAndClose(annas);
      await waitFor('the incident to be closed', async () => {
        const { state } = await call(box, 'getIncident', { token, params: { id } });
        return state === 'closed';
      });
      const filed = await readFiled(id);
      expect(filed).toMatchObject({ complete: true, filed_by: anna.id });
      expect(filed.messages.filter(({ text }) => text !== undefined)).toMatchObject([
        { sender: anna.id, text: 'The gate at the dock is bent', acks: [] },
        {
          sender: anna.id,
          text: 'Nobody drives through it',
          must_ack: true,
          acks: [{ user_id: bert.id }],
        },
      ]);
    });
  });
});
