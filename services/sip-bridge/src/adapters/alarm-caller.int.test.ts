/** The user agent of alarm calls towards a server that a test plays: what comes late, twice, wrong or not at all. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLogger, systemClock, systemRandom } from '@siphera/runtime';
import { tempDir, waitFor, type TempDir } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alarmTone, writeWav } from '../domain/alarm-audio.ts';
import { headerOf } from '../domain/alarm-sip-message.ts';
import { openPhoneEar, type PhoneEar } from '../testing/phone-ear.ts';
import { playServer, type PlayedServer } from '../testing/played-server.ts';
import { AlarmCaller, type CallOrder } from './alarm-caller.ts';

const here = '127.0.0.1';
const log = createLogger({ service: 'sip-bridge', level: 'error', destination: { write: () => true } });

let dir: TempDir;
let server: PlayedServer;
let ear: PhoneEar;
let caller: AlarmCaller;
let wav: string;
beforeEach(async () => {
  dir = await tempDir('caller');
  wav = join(dir.path, 'tone.wav');
  await writeFile(wav, writeWav({ rate: 8_000, samples: alarmTone() }));
  server = await playServer(here);
  ear = await openPhoneEar(here);
  caller = callerOf(server.port);
});
afterEach(async () => {
  await caller.stop();
  await server[Symbol.asyncDispose]();
  await ear[Symbol.asyncDispose]();
  await dir.remove();
});

const callerOf = (port: number): AlarmCaller =>
  new AlarmCaller({
    config: {
      SIP_ADDRESS: `${here}:${port}`,
      SIP_DOMAIN: 'box.test',
      SIP_SECRET: 'a-secret-for-softphones',
      MEDIA_ADDRESS: undefined,
    },
    clock: systemClock,
    random: systemRandom,
    log,
  });
const call = (change: Partial<CallOrder> = {}) =>
  caller.call({ to: '201', ringMsMax: 60_000, talkMsMax: 60_000, wav, ...change });
const sdp = (port = ear.port): string =>
  `v=0\r\nc=IN IP4 ${here}\r\nm=audio ${port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n`;
const bye = async (): Promise<void> => server.answer(await server.next('BYE'), 200);

describe('a call of the box', () => {
  it('proves who it is, once, and gives its further headers again', async () => {
    const calling = call({ headers: { 'X-Siphera-Location': 'loc-7' } });
    const first = await server.next('INVITE');
    const asks: [string, string] = ['Proxy-Authenticate', 'Digest realm="box.test", nonce="n1", qop="auth"'];
    server.answer(first, 407, { headers: [asks] });
    await server.next('ACK');
    const second = await server.next('INVITE');
    expect(headerOf(second, 'proxy-authorization')).toMatch(
      /username="\d+:\*000", realm="box.test", nonce="n1"/,
    );
    for (const invite of [first, second]) expect(headerOf(invite, 'x-siphera-location')).toBe('loc-7');
    expect(headerOf(second, 'call-id')).toBe(headerOf(first, 'call-id'));
    server.answer(second, 407, { headers: [asks] });
    expect(await calling).toMatchObject({ outcome: 'failed', code: 407 });
  });

  it('says again what was lost on the way, and acknowledges again what comes twice', async () => {
    const calling = call({ onDigit: (digit) => digit === '1' });
    const invite = await server.next('INVITE');
    await waitFor('the INVITE to be sent again', () => server.count('INVITE') > 1, 30_000);
    server.answer(invite, 180);
    server.answer(invite, 200, { body: sdp() });
    server.answer(invite, 200, { body: sdp() });
    await server.next('ACK');
    await server.next('ACK');
    await waitFor('the tone', () => ear.loudness() > 2_000, 30_000);
    await ear.press('5', invite.body);
    await ear.press('1', invite.body);
    await waitFor('the BYE to be sent again', () => server.count('BYE') > 1, 30_000);
    await bye();
    expect(await calling).toMatchObject({ outcome: 'answered', code: 200, digits: '51' });
  });

  it('follows the sound elsewhere, takes keys by SIP INFO, and hears when they hang up', async () => {
    await using elsewhere = await openPhoneEar(here);
    const pressed: string[] = [];
    const onDigit = (digit: string): boolean => {
      pressed.push(digit);
      return false;
    };
    const calling = call({ onDigit });
    const invite = await server.next('INVITE');
    server.answer(invite, 200, { body: sdp() });
    await server.next('ACK');
    expect(await server.ask(invite, 'OPTIONS')).toBe(200);
    expect(await server.ask(invite, 'INVITE', { body: sdp(elsewhere.port) })).toBe(200);
    await waitFor('the tone there', () => elsewhere.loudness() > 2_000, 30_000);
    // From where it was before: no key of this call any more.
    await ear.press('7', invite.body);
    const type: [string, string] = ['Content-Type', 'application/dtmf-relay'];
    expect(await server.ask(invite, 'INFO', { headers: [type], body: 'Signal=4\r\nDuration=160\r\n' })).toBe(
      200,
    );
    await elsewhere.press('5', invite.body);
    await waitFor('the key', () => pressed.includes('5'), 30_000);
    expect(await server.ask(invite, 'REFER')).toBe(405);
    expect(await server.ask(invite, 'BYE')).toBe(200);
    expect(await calling).toMatchObject({ outcome: 'answered', reason: 'They hung up', digits: '45' });
  });

  it('speaks once more before it hangs up, when it is told to', async () => {
    const calling = call({ wav: undefined, onDigit: () => Promise.resolve(wav) });
    const invite = await server.next('INVITE');
    server.answer(invite, 200, { body: sdp() });
    await server.next('ACK');
    await ear.press('1', invite.body);
    await bye();
    expect(ear.loudness()).toBeGreaterThan(2_000);
    expect(await calling).toMatchObject({ outcome: 'answered', digits: '1' });
  });

  it('hangs up on what is taken up in the moment in which it is taken back', async () => {
    const stop = new AbortController();
    const calling = call({ signal: stop.signal });
    const invite = await server.next('INVITE');
    stop.abort();
    server.answer(invite, 180);
    const cancel = await server.next('CANCEL');
    server.answer(invite, 200, { body: sdp() });
    server.answer(cancel, 200);
    await server.next('ACK');
    await bye();
    expect((await calling).answeredMs).toBeUndefined();
  });

  it('ends by itself where nothing answers, and where nobody says goodbye', async () => {
    const { [Symbol.asyncDispose]: close, port } = await playServer(here);
    await close();
    const dead = callerOf(port).call({ to: '201', ringMsMax: 60_000, talkMsMax: 1_000, wav });
    const calling = call({ talkMsMax: 200 });
    const invite = await server.next('INVITE');
    server.answer(invite, 200, { body: sdp() });
    expect(await calling).toMatchObject({
      outcome: 'answered',
      reason: 'The time to talk is over',
      digits: '',
    });
    expect(await dead).toMatchObject({
      outcome: 'failed',
      code: undefined,
      reason: 'The SIP server does not answer',
    });
  });

  it('is none where nothing speaks G.711', async () => {
    const calling = call();
    const invite = await server.next('INVITE');
    server.answer(invite, 200, { body: sdp().replace('RTP/AVP 0 101', 'RTP/AVP 9 101') });
    await bye();
    expect(await calling).toMatchObject({ outcome: 'failed', reason: 'It takes no sound of ours' });
  });

  it('lives through what is no message of its own', async () => {
    const calling = call();
    const invite = await server.next('INVITE');
    const id = headerOf(invite, 'call-id') ?? '';
    for (const text of [
      '',
      '\0\r\n\r\n',
      'SIP/2.0 200 OK\r\n\r\n',
      `SIP/2.0 200 OK\r\nCall-ID: ${id}\r\nCSeq: 1 INVITE\r\n\r\n`,
      `BYE sip:x SIP/2.0\r\nCall-ID: ${id}\r\n\r\n`,
    ])
      server.raw(text);
    server.answer(invite, 486);
    expect(await calling).toMatchObject({ outcome: 'busy', code: 486 });
  });
});
