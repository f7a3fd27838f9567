/**
 * Phones: how long it takes until the other phone rings and until both are connected, with the challenge of each call; and twenty calls
 * at once through the relays for sound, with what they lose and cost. Real Kamailio, real rtpengines.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { openSipHouse, phoneSdp, type SipDialog, type SipHouse, type SipPeer } from '@siphera/testkit';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';
import { cpuSecondsOf } from './process-figures.ts';

const setUps = 100;
const calls = 20;
/** G.711: a packet of 160 bytes each 20 ms and direction. */
const packetMs = 20;
const payloadBytes = 160;
const rtpHeaderBytes = 12;
/** What is still under way when the last packet was sent. */
const settleMs = 500;

export async function benchPhones({ seconds, progress }: BenchOptions): Promise<BenchRow[]> {
  await using house = await openSipHouse();
  const [caller, called] = [await house.phone('101'), await house.phone('102')];
  progress(`${setUps} calls are set up`);
  const through = await setUpTimes(caller, called, '102');
  progress(`${calls} calls at once for ${seconds} s`);
  const sound = await relayed(house, caller, called, seconds);
  return [
    row('call, dialled → rings: p50', quantile(through.ringing, 0.5), 'ms'),
    row('call, dialled → rings: p99', quantile(through.ringing, 0.99), 'ms'),
    row('call, dialled → connected: p99', quantile(through.connected, 0.99), 'ms'),
    row(`${calls} relayed calls: packets lost`, sound.lostPercent, '%'),
    row(`${calls} relayed calls: both relays`, sound.cores * 100, '% of a core'),
  ];
}

const row = (what: string, ours: number, unit: string): BenchRow => ({ what, ours, unit, better: 'less' });

/** @returns sorted milliseconds from the INVITE to the callee's phone, and to the caller's 200. */
async function setUpTimes(caller: SipPeer, called: SipPeer, user: string) {
  const ringing: number[] = [];
  const connected: number[] = [];
  for (let count = 0; count < setUps; count += 1) {
    const started = performance.now();
    const dialling = caller.call(user);
    const invite = await called.nextRequest('INVITE');
    ringing.push(performance.now() - started);
    called.answer(invite, 180);
    called.answer(invite, 200, { body: phoneSdp(called.address, 21_000) });
    const dialog = await dialling;
    connected.push(performance.now() - started);
    await called.nextRequest('ACK');
    const ending = caller.within(dialog, 'BYE');
    called.answer(await called.nextRequest('BYE'), 200);
    await ending;
  }
  const sorted = (list: number[]): number[] => list.sort((a, b) => a - b);
  return { ringing: sorted(ringing), connected: sorted(connected) };
}

type End = { socket: Socket; port: number; target: { address: string; port: number }; got: number };

async function relayed(house: SipHouse, caller: SipPeer, called: SipPeer, seconds: number) {
  const ends: End[] = [];
  const dialogs: SipDialog[] = [];
  for (let count = 0; count < calls; count += 1) {
    const [a, b] = [await openEnd(caller.address), await openEnd(called.address)];
    const dialling = caller.call('102', { body: phoneSdp(caller.address, a.port) });
    const invite = await called.nextRequest('INVITE');
    b.target = soundTarget(invite.body);
    called.answer(invite, 200, { body: phoneSdp(called.address, b.port) });
    const dialog = await dialling;
    a.target = soundTarget(dialog.message.body);
    await called.nextRequest('ACK');
    dialogs.push(dialog);
    ends.push(a, b);
  }
  const relays = [house.server.relays.a, house.server.relays.b];
  const cpu = (): number => relays.reduce((sum, { daemon }) => sum + cpuSecondsOf(daemon.pid), 0);
  const before = cpu();
  const sent = await speak(ends, seconds);
  const cores = (cpu() - before) / seconds;
  const got = ends.reduce((sum, end) => sum + end.got, 0);
  for (const dialog of dialogs) {
    const ending = caller.within(dialog, 'BYE');
    called.answer(await called.nextRequest('BYE'), 200);
    await ending;
  }
  for (const { socket } of ends) socket.close();
  return { cores, lostPercent: ((sent - got) / sent) * 100 };
}

async function openEnd(address: string): Promise<End> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.bind(0, address);
  await once(socket, 'listening');
  const end: End = { socket, port: socket.address().port, target: { address, port: 0 }, got: 0 };
  socket.on('message', () => {
    end.got += 1;
  });
  return end;
}

function soundTarget(sdp: string): { address: string; port: number } {
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
  if (address === undefined || port === undefined) throw new Error('No place for sound in what came');
  return { address, port: Number(port) };
}

/** All ends send a packet each 20 ms; what the clock missed is made up for. @returns packets sent. */
async function speak(ends: readonly End[], seconds: number): Promise<number> {
  const packets = ends.map((_end, index) => rtpPacket(index + 1));
  const started = performance.now();
  const wanted = Math.floor((seconds * 1_000) / packetMs);
  for (let sequence = 0; sequence < wanted;) {
    const due = Math.min(wanted, Math.floor((performance.now() - started) / packetMs) + 1);
    for (; sequence < due; sequence += 1) {
      for (const [index, { socket, target }] of ends.entries()) {
        const packet = Buffer.from(packets[index] ?? Buffer.alloc(0));
        packet.writeUInt16BE(sequence % 65_536, 2);
        packet.writeUInt32BE((sequence * payloadBytes) >>> 0, 4);
        socket.send(packet, target.port, target.address);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, packetMs / 2));
  }
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  return wanted * ends.length;
}

/** RFC 3550 §5.1: version 2, PCMU, its own source. */
function rtpPacket(source: number): Buffer {
  const packet = Buffer.alloc(rtpHeaderBytes + payloadBytes, 0xff);
  packet.writeUInt16BE(0x8000, 0);
  packet.writeUInt32BE(source, 8);
  return packet;
}
