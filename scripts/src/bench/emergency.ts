/**
 * Emergency calls: from the INVITE of a phone at Kamailio to the INVITE on the trunk, and to the notice at the desk. Only Kamailio
 * and its relays run: core, signaling and the bridge are not there at all.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  emergencyPhone,
  emergencyPlan,
  parseSip,
  startSipServer,
  tempDir,
  waitFor,
  type RawPhone,
  type SipMessage,
} from '@siphera/testkit';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';

/** One after the other, of a caller who is proved: he has no limit. */
const calls = 100;
/** What must hold with core and signaling stopped. */
const trunkMsMax = 300;
const noticeMsMax = 1_000;

export async function benchEmergency({ progress }: BenchOptions): Promise<BenchRow[]> {
  await using dir = await tempDir('em');
  const trunk = await openTrunk('127.0.0.70');
  await using server = await startSipServer({
    dir: dir.path,
    plan: emergencyPlan([{ psap: trunk, id: 'main' }]),
  });
  /** When the first notice of a call came, by its Call-ID. */
  const noticed = new Map<string, number>();
  const hear = ({ method, body }: SipMessage): void => {
    if (method !== 'MESSAGE') return;
    const { uid } = JSON.parse(body) as { uid: string };
    if (!noticed.has(uid)) noticed.set(uid, performance.now());
  };
  const desk = await emergencyPhone(server, '2002', { address: '127.0.0.71', onMessage: hear });
  const phone = await emergencyPhone(server, '2001', { address: '127.0.0.72' });
  try {
    await desk.register();
    await phone.register();
    progress(`${calls} calls to 911`);
    const both = await measure(phone, trunk.arrived, noticed);
    progress(`${calls} more with one of two relays dead`);
    await server.relays.a.daemon.stop();
    const one = await measure(phone, trunk.arrived, noticed);
    return [
      row('911 at Kamailio → on the trunk: p50', quantile(both.trunk, 0.5), trunkMsMax),
      row('911 at Kamailio → on the trunk: p99', quantile(both.trunk, 0.99), trunkMsMax),
      row('911 at Kamailio → on the trunk, one relay dead: p99', quantile(one.trunk, 0.99), trunkMsMax),
      row('911 at Kamailio → notice at the desk: p50', quantile(both.notice, 0.5), noticeMsMax),
      row('911 at Kamailio → notice at the desk: p99', quantile(both.notice, 0.99), noticeMsMax),
    ];
  } finally {
    desk.close();
    phone.close();
    trunk.close();
  }
}

const row = (what: string, ours: number, target: number): BenchRow => ({
  what,
  ours,
  unit: 'ms',
  better: 'less',
  target: { ours: target },
});

async function measure(
  phone: RawPhone,
  arrived: ReadonlyMap<string, number>,
  noticed: ReadonlyMap<string, number>,
): Promise<{ trunk: number[]; notice: number[] }> {
  const times = { trunk: [] as number[], notice: [] as number[] };
  for (let count = 0; count < calls; count += 1) {
    const started = performance.now();
    const call = phone.invite('911', { authorised: true });
    await call.status('200');
    call.ack();
    call.send('BYE');
    await call.status('200', 'BYE');
    await waitFor('the notice', () => noticed.has(call.callId));
    times.trunk.push((arrived.get(call.callId) ?? Infinity) - started);
    times.notice.push((noticed.get(call.callId) ?? Infinity) - started);
  }
  return { trunk: times.trunk.sort((a, b) => a - b), notice: times.notice.sort((a, b) => a - b) };
}

/** The far end of a trunk that takes every call at once, and when the INVITE of each came, by its Call-ID. */
async function openTrunk(address: string) {
  const arrived = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (data, { port, address: from }) => {
    const now = performance.now();
    const message = parseSip(data.toString('latin1'));
    const callId = message.header('call-id') ?? '';
    if (message.method === 'INVITE' && !arrived.has(callId)) arrived.set(callId, now);
    if (message.method !== undefined && message.method !== 'ACK')
      socket.send(taken(message, `${address}:${socket.address().port}`), port, from);
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  const uri = `sip:${address}:${socket.address().port}`;
  return { address, uri, arrived, close: () => socket.close() };
}

function taken(request: SipMessage, place: string): string {
  const body =
    request.method === 'INVITE'
      ? 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n'
      : '';
  const to = request.header('to') ?? '';
  return [
    'SIP/2.0 200 OK',
    ...request.all('via').map((via) => `Via: ${via}`),
    ...request.all('record-route').map((route) => `Record-Route: ${route}`),
    `From: ${request.header('from')}`,
    `To: ${to}${to.includes(';tag=') ? '' : ';tag=trunk'}`,
    `Call-ID: ${request.header('call-id')}`,
    `CSeq: ${request.header('cseq')}`,
    `Contact: <sip:psap@${place}>`,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}
