/** Sound of emergency calls: by way of one relay, by the other, past both, and across a change of trunk. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { EmergencyNotice } from '@siphera/contract';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  emergencyBrowserSdp,
  emergencyPhone,
  emergencyPlan,
  type EmergencyTrunk,
  loadEmergencyPlan,
} from './emergency-box.ts';
import { partsOf } from './emergency-message.ts';
import type { InviteOptions, RawPhone } from './emergency-phone.ts';
import { type SipServer, startSipServer } from './kamailio.ts';
import { type Psap, type PsapBehaviour, startPsap } from './psap.ts';
import { phoneSdp, type SipMessage } from './sip-message.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

let dir: TempDir;
let server: SipServer;
const open: (() => unknown)[] = [];
let addresses = 60;

beforeAll(async () => {
  dir = await tempDir('em');
  server = await startSipServer({ dir: dir.path });
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
afterAll(async () => {
  await server?.stop();
  await dir?.remove();
});

async function psap(behaviour: PsapBehaviour = {}): Promise<Psap> {
  addresses += 1;
  const made = await startPsap({ dir: dir.path, address: `127.0.0.${addresses}`, behaviour });
  open.push(made.stop);
  return made;
}
async function house(...trunks: EmergencyTrunk[]): Promise<RawPhone> {
  await loadEmergencyPlan(server, emergencyPlan(trunks));
  const phone = await emergencyPhone(server, '2001', { address: `127.0.56.${addresses}` });
  open.push(phone.close);
  return phone;
}
async function microphone(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  open.push(() => socket.close());
  return { socket, port: socket.address().port };
}
const mediaOf = ({ body }: Pick<SipMessage, 'body'>) => ({
  port: Number(/m=audio (\d+)/.exec(body)?.[1]),
  address: /c=IN IP4 (\S+)/.exec(body)?.[1] ?? '',
});

/** G.711 with a mark in it, until the far end's echo has it. */
async function hearsItself({ socket }: { socket: Socket }, far: SipMessage): Promise<void> {
  const { port, address } = mediaOf(far);
  const mark = Buffer.alloc(160, 0x5a);
  let heard = 0;
  const count = (packet: Buffer): void => {
    if (packet.subarray(12).equals(mark)) heard += 1;
  };
  socket.on('message', count);
  let sequence = 0;
  const speak = setInterval(() => {
    sequence += 1;
    const head = Buffer.alloc(12);
    head.writeUInt8(0x80, 0);
    head.writeUInt16BE(sequence, 2);
    head.writeUInt32BE(sequence * 160, 4);
    head.writeUInt32BE(0xabcd, 8);
    socket.send(Buffer.concat([head, mark]), port, address);
  }, 20);
  try {
    await expect.poll(() => heard, { timeout: 20_000 }).toBeGreaterThan(5);
  } finally {
    clearInterval(speak);
    socket.off('message', count);
  }
}
/** A call with sound both ways, to its end. @returns what the PSAP got. */
async function soundOf(phone: RawPhone, far: Psap, more: InviteOptions = {}): Promise<SipMessage> {
  const mic = await microphone();
  const call = phone.invite('911', { body: phoneSdp('127.0.0.1', mic.port), ...more });
  const answer = await call.status('200');
  call.ack();
  await hearsItself(mic, answer);
  call.send('BYE');
  await call.status('200', 'BYE');
  await server.report({ kind: 'emergency', call: call.callId, state: 'ended' });
  const invite = (await far.invites()).find((message) => message.header('call-id') === call.callId);
  if (!invite) throw new Error('It did not come');
  return invite;
}

describe('sound', () => {
  it('goes both ways, by another trunk after one that had begun to speak, and on after re-INVITEs of both', async () => {
    const first = await psap({ provisional: [180, 183], code: 503, waitMs: 100 });
    const second = await psap({ reinvites: true });
    const phone = await house({ psap: first, id: 'first' }, { psap: second, id: 'second', style: 'none' });
    const mic = await microphone();
    const call = phone.invite('911', { body: phoneSdp('127.0.0.1', mic.port) });
    const answer = await call.status('200');
    call.ack();
    await hearsItself(mic, answer);
    const again = await call.request('INVITE');
    expect(mediaOf(again).port).not.toBe(mic.port);
    call.answer(again, '200 OK', { contentType: 'application/sdp', body: phoneSdp('127.0.0.1', mic.port) });
    await call.request('ACK');
    await hearsItself(mic, again);
    call.send('BYE');
    await call.status('200', 'BYE');
    expect((await second.received()).map(({ method }) => method)).toEqual(
      expect.arrayContaining(['INVITE', 'BYE']) as string[],
    );
  });

  it('has G.711 for the trunk when the caller has none', async () => {
    const far = await psap({ hangUpAfterMs: 20 });
    const phone = await house({ psap: far, id: 'far' });
    const call = phone.invite('911', {
      body: phoneSdp('127.0.0.1', 40_000)
        .replace('RTP/AVP 0 8 101', 'RTP/AVP 9 101')
        .replace(/a=rtpmap:[08] .*\r\n/g, '')
        .replace('a=rtpmap:101', 'a=rtpmap:9 G722/8000\r\na=rtpmap:101'),
    });
    const answer = await call.status('200');
    expect(answer.body).toMatch(/m=audio \d+ RTP\/AVP 9/);
    expect(partsOf(await far.invite())[0]?.body).toMatch(/m=audio \d+ RTP\/AVP 0/);
  });

  it('is given up with the call that is given up', async () => {
    const far = await psap({ neverAnswers: true });
    const phone = await house({ psap: far, id: 'far' });
    const call = phone.invite('911');
    await call.status('180');
    call.cancel();
    expect((await call.status('487')).status).toBe(487);
    expect((await far.received()).map(({ method }) => method)).toContain('CANCEL');
    expect(await server.report({ kind: 'emergency', call: call.callId, state: 'ended' })).toMatchObject({
      code: 487,
    });
  });
});

describe('while a relay is dead', () => {
  it.each(['a', 'b'] as const)('%s, the other takes the call', async (name) => {
    const far = await psap();
    const phone = await house({ psap: far, id: 'far' });
    await server.relays[name].daemon.stop();
    for (let count = 0; count < 3; count += 1) await soundOf(phone, far);
    await server.relays[name].daemon.start();
  });

  it('silently, the INVITE still leaves within a second', async () => {
    const far = await psap();
    const phone = await house({ psap: far, id: 'far' });
    server.relays.a.daemon.freeze();
    try {
      for (let count = 0; count < 3; count += 1) await soundOf(phone, far);
      const times = server
        .reports()
        .filter(({ kind }) => kind === 'emergency')
        .slice(-15);
      for (const sent of times.filter(({ state }) => state === 'sent')) {
        const dialled = times.find(({ state, call }) => state === 'dialled' && call === sent['call']);
        if (dialled) expect(Number(sent['at_ms']) - Number(dialled['at_ms'])).toBeLessThan(4_000);
      }
    } finally {
      server.relays.a.daemon.thaw();
    }
  });

  it('and the other too, a phone speaks past them and a browser hears which phone is near', async () => {
    const far = await psap();
    const phone = await house({ psap: far, id: 'far' });
    const desk = await emergencyPhone(server, '2002');
    open.push(desk.close);
    await desk.register();
    await server.relays.a.daemon.stop();
    await server.relays.b.daemon.stop();
    const invite = await soundOf(phone, far);
    expect(partsOf(invite)[0]?.body.trim()).toMatch(/^v=0\r\no=- 1 1 IN IP4 127\.0\.0\.1\r\n/);
    expect(partsOf(invite)[0]?.body).toContain('a=fmtp:101 0-15');

    const { username, password } = server.softphone('2003', -5);
    const browser = await emergencyPhone(server, '2003', { transport: 'ws', username, password });
    open.push(browser.close);
    const call = browser.invite('911', { body: emergencyBrowserSdp });
    const no = await call.status('503');
    expect(no.header('x-siphera-nearest-phone')).toBe('2009');
    expect(await server.report({ kind: 'emergency', call: call.callId, state: 'failed' })).toMatchObject({
      reason: 'No media relay',
    });
    const heard = () =>
      desk.messages
        .filter(({ method, body }) => method === 'MESSAGE' && body.includes(call.callId))
        .map(({ body }) => EmergencyNotice.parse(JSON.parse(body)).state);
    await expect.poll(heard, { timeout: 20_000 }).toEqual(['started', 'failed']);
    await server.relays.a.daemon.start();
    await server.relays.b.daemon.start();
  });
});
