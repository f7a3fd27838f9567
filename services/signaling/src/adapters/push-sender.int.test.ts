/** What the way out to push services does not do, whatever an endpoint or a service wants. */
import { createECDH } from 'node:crypto';
import { systemClock } from '@siphera/runtime';
import {
  startFakePushService,
  tempDir,
  type FakeBrowser,
  type FakePushService,
  type TempDir,
} from '@siphera/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import webPush from 'web-push';
import { PushSender, type PushSenderOptions } from './push-sender.ts';

const keys = webPush.generateVAPIDKeys();
let dir: TempDir;
let push: FakePushService;
let browser: FakeBrowser;

beforeAll(async () => {
  dir = await tempDir('push');
  push = await startFakePushService(dir.path);
});
afterAll(async () => {
  await push.close();
  await dir.remove();
});
beforeEach(() => {
  browser = push.subscribe(keys.publicKey);
});

const senderOf = (options: Partial<PushSenderOptions> = {}): PushSender =>
  new PushSender({
    keys,
    contact: 'mailto:ops@box.test',
    allow: [push.host],
    caFile: push.caFile,
    clock: systemClock,
    ...options,
  });
const message = (endpoint = browser.subscription.endpoint) => ({
  endpoint,
  keys: browser.subscription.keys,
  payload: Buffer.from('{"kind":"message"}'),
  ttlSeconds: 60,
  urgency: 'high' as const,
  topic: 'T'.repeat(32),
});

describe('a push', () => {
  it('is encrypted for the browser and names the box', async () => {
    expect(await senderOf().send(message())).toEqual({ kind: 'taken' });
    const [received] = browser.received;
    expect(received?.payload).toEqual({ kind: 'message' });
    expect(received?.claims).toMatchObject({ sub: 'mailto:ops@box.test', aud: `https://${push.host}` });
    expect(received?.headers).toMatchObject({ ttl: '60', urgency: 'high', topic: 'T'.repeat(32) });
    expect(received?.body.toString('latin1')).not.toContain('message');
  });

  it('is not sent on to another address', async () => {
    const other = push.subscribe(keys.publicKey);
    browser.answerWith({ status: 307, headers: { location: other.subscription.endpoint } });
    expect((await senderOf().send(message())).kind).toBe('refused');
    expect(other.received).toEqual([]);
  });

  it.each([
    ['an address of the box', [{ address: '127.0.0.1', family: 4 }]],
    ['an address of the LAN', [{ address: '192.168.1.20', family: 4 }]],
    ['the cloud’s own', [{ address: '169.254.169.254', family: 4 }]],
    [
      'one good and one bad',
      [
        { address: '142.250.1.1', family: 4 },
        { address: '::1', family: 6 },
      ],
    ],
  ])('does not follow a known name to %s', async (_name, addresses) => {
    const before = push.requests;
    const sender = senderOf({ resolve: () => Promise.resolve(addresses) });
    const outcome = await sender.send(message('https://fcm.googleapis.com/fcm/send/abc'));
    expect(outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining('Not sent') as string });
    expect(push.requests).toBe(before);
  });

  it('goes to no loopback address that no admin named, even when it was stored once', async () => {
    const before = push.requests;
    expect((await senderOf({ allow: [] }).send(message())).kind).toBe('refused');
    expect((await senderOf({ allow: [`127.0.0.1:${push.port}`] }).send(message())).kind).toBe('refused');
    expect(push.requests).toBe(before);
  });

  it('connects to the address that was checked, whatever the name says later', async () => {
    let asked = 0;
    const resolve = () => {
      asked += 1;
      return Promise.resolve([{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
    };
    expect(await senderOf({ resolve }).send(message())).toEqual({ kind: 'taken' });
    expect(asked).toBe(1);
  });

  it('waits for no name and no answer for ever: to stop ends it', async () => {
    const deaf = senderOf({ resolve: () => new Promise(() => undefined) });
    const first = deaf.send(message());
    deaf.stop();
    expect(await first).toMatchObject({ kind: 'later', network: true });
    browser.answerWith({ status: 201, delayMs: 30_000 });
    const patient = senderOf();
    const before = push.requests;
    const second = patient.send(message());
    while (push.requests === before) await new Promise((resolve) => setImmediate(resolve));
    patient.stop();
    expect(await second).toMatchObject({ kind: 'later', network: true });
  });

  it('reads no answer without end', async () => {
    browser.answerWith({ status: 202, endless: true });
    expect(await senderOf().send(message())).toEqual({ kind: 'taken' });
  });

  it('trusts no certificate but those of the system and of the CA that was named', async () => {
    expect(await senderOf({ caFile: undefined }).send(message())).toMatchObject({
      kind: 'later',
      network: true,
    });
    expect(browser.received).toEqual([]);
  });

  it('fails for a key that is no point, before anything is sent', async () => {
    const before = push.requests;
    const p256dh = Buffer.alloc(65, 4).toString('base64url');
    await expect(
      senderOf().send({ ...message(), keys: { ...browser.subscription.keys, p256dh } }),
    ).rejects.toThrow(/./);
    expect(push.requests).toBe(before);
  });
});

it('the push service of the tests takes nothing that is encrypted for another', async () => {
  const other = createECDH('prime256v1').generateKeys('base64url');
  const outcome = await senderOf().send({
    ...message(),
    keys: { ...browser.subscription.keys, p256dh: other },
  });
  expect(outcome).toMatchObject({ kind: 'refused', why: expect.stringContaining('400') as string });
  const stranger = senderOf({ keys: webPush.generateVAPIDKeys() });
  expect(await stranger.send(message())).toMatchObject({ kind: 'refused' });
  expect(push.faults.splice(0)).toHaveLength(2);
});
