/**
 * Talk in real tabs on a real box: one engine for all tabs of a person, and nothing lost or doubled when the tab that runs it is closed
 * in the middle of sending; a reload finds keys and messages on the disk; a device that is removed leaves nothing behind.
 */
import {
  admin,
  call,
  setupAdmin,
  startBox,
  waitFor,
  withChromium,
  type Box,
  type SetUp,
} from '@siphera/testkit';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { signIn } from './sign-in.ts';

let box: Box;
let setUp: SetUp;
const bo = { name: 'Bo Guard', email: 'bo@example.org', password: 'horse battery staple correct' };
let boId = '';
/** As they were shown once, by e-mail address. */
const secrets = new Map<string, string>();

beforeAll(async () => {
  box = await startBox({ frontDoor: true, services: ['signaling'] });
  setUp = await setupAdmin(box);
  ({ id: boId } = await call(box, 'createUser', { token: setUp.token, body: bo }));
  await call(box, 'createRoleBinding', {
    token: setUp.token,
    body: {
      subject: { kind: 'user', id: boId },
      role: 'guard',
      scope: { kind: 'org', id: setUp.me.org.id },
    },
  });
});
afterAll(() => box.stop());

/** The store of talk, as the pages have it. */
const store = `document.querySelector('#app').__vue_app__.config.globalProperties.$pinia._s.get('talk')`;
const run = <T>(page: Page, script: string): Promise<T> =>
  page.evaluate<T>(`(async () => { const talk = ${store}; ${script} })()`);
const leads = (page: Page): Promise<boolean> => run(page, 'return talk.leads');
const stateOf = (page: Page): Promise<string> => run(page, 'return talk.state.is');
const bodiesOf = (page: Page, userId: string): Promise<string[]> =>
  run(
    page,
    `const { items } = await talk.api.messages('d:${userId}', { limit: 200 });
     return items.filter(({ content }) => content.t === 'text').map(({ content }) => content.body);`,
  );

async function openTalk(page: Page): Promise<void> {
  await page.goto(`${box.origin}/talk`);
  await loaded(page);
}
// Not `waitForFunction`: the content policy of the console lets no script be made of text.
const loaded = (page: Page): Promise<boolean> =>
  waitFor('the store of talk', () =>
    page.evaluate<boolean>(
      `document.querySelector('#app')?.__vue_app__ !== undefined && ${store} !== undefined`,
    ),
  );

async function device(context: BrowserContext, person: { email: string; password: string }): Promise<Page> {
  const page = await context.newPage();
  await signIn(page, box.origin, person);
  await openTalk(page);
  const secret = await run<string>(
    page,
    `await talk.start(); return (await talk.api.begin({ name: 'Browser', kind: 'personal' })).recoverySecret`,
  );
  secrets.set(person.email, secret);
  expect(secret).toMatch(/^(\w{4}-){5}\w{4}$/);
  await waitFor('talk to be ready', async () => (await stateOf(page)) === 'ready');
  return page;
}

async function anotherTab(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await openTalk(page);
  await run(page, 'await talk.start()');
  await waitFor('talk to be ready in another tab', async () => (await stateOf(page)) === 'ready');
  return page;
}

const databases = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>('indexedDB.databases().then((all) => all.map(({ name }) => name))');

it('loses and doubles nothing when tabs are closed while they send, and is wiped when it is removed', async () => {
  await withChromium({ caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] }, async ({ browser }) => {
    const ada = await browser.newContext();
    const guard = await browser.newContext();
    const first = await device(ada, admin);
    const other = await device(guard, bo);
    const tabs = [first, await anotherTab(ada), await anotherTab(ada)];
    expect(await Promise.all(tabs.map(leads))).toEqual([true, false, false]);

    const sender = tabs[2]!;
    await run(
      sender,
      `window.sends = []; let n = 0;
       window.sending = setInterval(() => window.sends.push(talk.api.send('d:${boId}', { body: 'm' + n++ })), 20);`,
    );
    for (const tab of tabs.slice(0, 2)) {
      const before = await run<number>(sender, 'return window.sends.length');
      await waitFor(
        'some messages',
        async () => (await run<number>(sender, 'return window.sends.length')) > before + 20,
      );
      await tab.close();
    }
    await waitFor('the last tab to lead', () => leads(sender));
    const asked = await run<number>(
      sender,
      'clearInterval(window.sending); await Promise.all(window.sends); return window.sends.length',
    );
    const expected = Array.from({ length: asked }, (_, at) => `m${at}`);
    await waitFor(
      'all to arrive',
      async () => (await bodiesOf(other, setUp.me.user.id)).length >= Math.min(asked, 200),
    );
    expect(await bodiesOf(other, setUp.me.user.id)).toEqual(expected.slice(-200));
    expect(await bodiesOf(sender, boId)).toEqual(expected.slice(-200));

    await sender.reload();
    await loaded(sender);
    await run(sender, 'await talk.start()');
    await waitFor('talk to open after a reload', async () => (await stateOf(sender)) === 'ready');
    expect(await bodiesOf(sender, boId)).toEqual(expected.slice(-200));

    const names = await databases(other);
    expect(names.filter((name) => name.startsWith('siphera-talk:'))).toHaveLength(3);
    const { items } = await call(box, 'listTalkDevices', { token: setUp.token, query: { user_id: boId } });
    await call(box, 'removeTalkDevice', { token: setUp.token, params: { id: items[0]?.id ?? '' } });
    await waitFor('the removed device to be wiped', async () =>
      (await databases(other)).every((name) => !name.startsWith('siphera-talk:')),
    );
  });
});

/** One guard at the desk: signs in, and is ready with `typed` or without any secret. */
async function sitDown(page: Page, person: { email: string; password: string }): Promise<void> {
  await signIn(page, box.origin, person);
  await openTalk(page);
  await run(page, 'await talk.start()');
  await waitFor('talk to know its device', async () => (await stateOf(page)) !== 'opening');
}
/** The first device of a person has no secret to type; it is told one. */
async function makeDeskDevice(page: Page, person: { email: string }): Promise<void> {
  const begin = `return (await talk.api.begin({ name: 'Desk', kind: 'shared' })).recoverySecret`;
  const secret = await run<string | null>(page, begin);
  if (secret === null) await run(page, `await talk.api.recover('${secrets.get(person.email) ?? ''}')`);
  await waitFor('talk to be ready', async () => (await stateOf(page)) === 'ready');
}
/** What still waits stays with who wrote it: the desk is left once the box has it. */
async function sendBefore(page: Page, body: string): Promise<void> {
  const to = `d:${setUp.me.user.id}`;
  await run(page, `await talk.api.send('${to}', { body: '${body}' })`);
  await waitFor('the message to be sent', () =>
    run<boolean>(page, `return (await talk.api.messages('${to}')).items.at(-1)?.delivery === 'sent'`),
  );
}
async function leave(page: Page): Promise<void> {
  await run(page, 'await talk.stop()');
  await page.evaluate(
    `void document.querySelector('#app').__vue_app__.config.globalProperties.$pinia._s.get('session').logout()`,
  );
  await page.waitForURL((url) => url.pathname.startsWith('/login'));
}

it('keeps the guards of a shared desk apart, and opens for each without a secret', async () => {
  await withChromium({ caFile: box.mosquitto.ca.caFile, hosts: [box.hostName] }, async ({ page }) => {
    for (const guard of [admin, bo]) {
      await sitDown(page, guard);
      expect(await stateOf(page)).toBe('absent');
      await makeDeskDevice(page, guard);
      if (guard === bo) await sendBefore(page, 'gate 2 is open');
      await leave(page);
    }
    await sitDown(page, admin);
    expect(await stateOf(page)).toBe('ready');
    await waitFor('the message of the guard before', async () =>
      (await bodiesOf(page, boId)).includes('gate 2 is open'),
    );
    await leave(page);
    await sitDown(page, bo);
    expect(await stateOf(page)).toBe('ready');
    expect(await bodiesOf(page, setUp.me.user.id)).toContain('gate 2 is open');
    // Of the two shares that open a store, the disk of a shared desk has one.
    const kept = await page.evaluate<string>(`new Promise((resolve) => {
      const open = indexedDB.open('siphera-talk-keep');
      open.onsuccess = () => {
        const all = open.result.transaction('devices').objectStore('devices').getAll();
        all.onsuccess = () => resolve(all.result.map((row) => Object.keys(row).sort().join()).join(' '));
      };
    })`);
    expect(kept).toBe('deviceId,kind,localShare,userId deviceId,kind,localShare,userId');
  });
});
