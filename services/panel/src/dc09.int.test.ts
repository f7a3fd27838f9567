/** The receiver on real sockets, against a core that commits and answers. */
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { openDatabase, systemClock } from '@siphera/runtime';
import { encodePanelFrame, FakePanel, sealPanelFrame } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRig, until, type Rig } from './testing/rig.ts';

const now = (): number => systemClock.now();
let rig: Rig;
const toClose: { close(): void }[] = [];

beforeEach(async () => {
  rig = await startRig();
});
afterEach(async () => {
  for (const one of toClose.splice(0)) one.close();
  await rig.stop();
});

function panelOf(account: string, more: Partial<ConstructorParameters<typeof FakePanel>[0]> = {}): FakePanel {
  const panel = new FakePanel({ port: rig.panel.dc09Port, account, now, ...more });
  toClose.push(panel);
  return panel;
}

/** A connection as `nc` makes it; collects what comes back. */
async function connect(): Promise<{ socket: Socket; received: () => string; ended: Promise<void> }> {
  const socket = createConnection({ port: rig.panel.dc09Port, host: '127.0.0.1', allowHalfOpen: true });
  toClose.push({ close: () => socket.destroy() });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once('end', () => resolve()).once('close', () => resolve());
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return { socket, received: () => text, ended };
}

/** How many reports lie in the service's file and wait for core. */
function waiting(): number {
  const db = openDatabase(join(rig.directory, 'panel.db'), { readonly: true });
  const count = db.prepare<[], number>("SELECT count(*) FROM frames WHERE verdict = 'pending'").pluck().get();
  db.close();
  return count ?? 0;
}

const acks = (text: string): number => text.split('"ACK"').length - 1;

describe('a report', () => {
  it.each(['tcp', 'udp'] as const)(
    'over %s is acknowledged after core has committed it',
    async (transport) => {
      const { answer } = await panelOf('1234', { transport }).contactId('1130 01 005');
      expect(answer).toMatchObject({
        kind: 'ACK',
        sequence: '0001',
        receiver: 'R0',
        line: 'L0',
        account: '1234',
      });
      expect(rig.core.events).toHaveLength(1);
      expect(rig.core.events[0]).toMatchObject({
        source: 'panel/1234',
        type: 'panel.alarm',
        data: {
          account: '1234',
          partition: '01',
          zone: '005',
          code: '130',
          code_name: 'Burglary alarm',
          qualifier: 'event',
        },
      });
      expect(rig.core.events[0]?.subject).toBeUndefined();
    },
  );

  it.each([128, 192, 256])(
    'encrypted with AES-%i is read and answered encrypted, with our time',
    async (bits) => {
      const key = Buffer.alloc(bits / 8, 0x5a);
      await rig.adopt('ABCDEF', { key_hex: key.toString('hex'), require_encryption: true });
      const panel = panelOf('ABCDEF', { key });
      const { answer, naks } = await panel.sia('Nri2/FA012^Server room^');
      expect(naks).toBe(0);
      expect(answer).toMatchObject({ kind: 'ACK', encrypted: true });
      expect(Math.abs((answer?.timeMs ?? 0) - now())).toBeLessThan(60_000);
      expect(rig.core.events[0]).toMatchObject({
        type: 'panel.fire',
        data: { zone: '012', partition: '2', zone_name: 'Server room', encrypted: true },
      });
      expect((await panel.linkTest()).answer).toMatchObject({ kind: 'ACK', encrypted: true });
    },
  );

  it('with an unknown code or id is acknowledged and becomes an event, never DUH', async () => {
    const panel = panelOf('77A0');
    expect((await panel.contactId('1ABC 01 005')).answer?.kind).toBe('ACK');
    expect((await panel.sia('Nri1/Q!9')).answer?.kind).toBe('ACK');
    expect((await panel.send({ id: 'XYZ-PRO', data: 'whatever' })).answer?.kind).toBe('ACK');
    expect((await panel.raw(sealPanelFrame('"this is not a header')))?.kind).toBe('ACK');
    expect(rig.core.events.map((event) => event.type)).toEqual(Array(4).fill('panel.event'));
    expect(rig.core.deadLetters).toEqual([]);
  });

  it('is answered in the form of its own CRC, echoing what the panel left out', async () => {
    const panel = panelOf('1409', { receiver: '', line: 'L' });
    const { answer } = await panel.contactId('1602 00 000', { binaryCrc: true });
    expect(answer).toMatchObject({ kind: 'ACK', receiver: '', line: 'L', account: '1409' });
    expect(answer?.raw.indexOf(0x22)).toBe(7);
  });
});

describe('a stream', () => {
  const frame = (sequence: number, zone: number): Buffer =>
    encodePanelFrame({
      id: 'ADM-CID',
      sequence: String(sequence).padStart(4, '0'),
      account: '4321',
      data: `#4321|1130 01 ${String(zone).padStart(3, '0')}`,
    });

  it('with many frames in one read has each of them acknowledged, and core gets them together', async () => {
    const { socket, received } = await connect();
    socket.write(Buffer.concat(Array.from({ length: 40 }, (_, index) => frame(index + 1, index + 1))));
    await until(() => acks(received()) === 40 || undefined);
    expect(rig.core.events).toHaveLength(40);
    expect(rig.core.batches.length).toBeLessThan(10);
  });

  it('with one frame in many reads, and garbage between frames, is understood', async () => {
    const { socket, received } = await connect();
    for (const byte of frame(1, 1)) {
      socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.write(
      Buffer.concat([
        Buffer.from('GET / HTTP/1.1\r\n\r\n\0\0\xff'),
        frame(2, 2),
        Buffer.from('\0\n'),
        frame(3, 3),
      ]),
    );
    await until(() => acks(received()) === 3 || undefined);
    expect(rig.core.events.map((event) => event.data['zone'])).toEqual(['001', '002', '003']);
  });

  it('whose sender closed its side, as nc does, still gets the answer', async () => {
    const { socket, received, ended } = await connect();
    socket.end(frame(1, 9));
    await ended;
    expect(acks(received())).toBe(1);
  });

  it('with a bad CRC or a wrong length gets silence, and the next good frame its ACK', async () => {
    const { socket, received } = await connect();
    const bad = frame(1, 1);
    bad.write('0000', 1, 'latin1');
    const long = frame(2, 2);
    long.write('0FFF', 5, 'latin1');
    socket.write(Buffer.concat([bad, long, frame(3, 3)]));
    await until(() => acks(received()) === 1 || undefined);
    expect(received()).toContain('"ACK"0003');
    expect(rig.core.events.map((event) => event.data['zone'])).toEqual(['003']);
    const items = await until(async () => {
      const { status, body } = await rig.rest('GET', '/panel/frames');
      if (status !== 200) return undefined;
      const found = (body as { items: { reason: string; verdict: string }[] }).items;
      return found.some((item) => item.verdict === 'pending') ? undefined : found;
    });
    expect(items.map((item) => `${item.verdict} ${item.reason}`)).toEqual([
      'ack committed',
      'silent bad_length',
      'silent bad_crc',
    ]);
  });

  it('of a megabyte of garbage costs no memory and hurts no other panel', async () => {
    const { socket } = await connect();
    const noise = Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7919) % 251));
    for (let round = 0; round < 16; round += 1) socket.write(noise);
    const { answer } = await panelOf('BEEF').contactId('1130 01 001');
    expect(answer?.kind).toBe('ACK');
    expect(rig.core.events).toHaveLength(1);
  });
});

describe('connections', () => {
  it('that begin a frame and never end it are cut, silent ones too, while others are served', async () => {
    await rig.stop();
    rig = await startRig({ env: { PANEL_PARTIAL_MS: '150', PANEL_IDLE_MS: '400' } });
    const slow = await connect();
    slow.socket.write('\nABCD0040"ADM-CID"00');
    const idle = await connect();
    const { answer } = await panelOf('1234').contactId('1130 01 001');
    await Promise.all([slow.ended, idle.ended]);
    expect(answer?.kind).toBe('ACK');
    const metrics = await (await fetch(`http://127.0.0.1:${rig.panel.metricsPort}/metrics`)).text();
    expect(metrics).toMatch(/connections_cut_total\{reason="slow_frame"\} 1/);
    expect(metrics).toMatch(/connections_cut_total\{reason="idle"\} [1-9]/);
  });

  it('beyond the bound make the longest idle one give way', async () => {
    await rig.stop();
    rig = await startRig({ env: { PANEL_CONNECTIONS_MAX: '3' } });
    const held = [await connect(), await connect(), await connect()];
    const { answer } = await panelOf('1234').contactId('1130 01 001');
    expect(answer?.kind).toBe('ACK');
    await held[0]?.ended;
  });

  it('beyond the bound of one address are refused', async () => {
    await rig.stop();
    rig = await startRig({ env: { PANEL_CONNECTIONS_PER_ADDRESS_MAX: '2' } });
    await connect();
    await connect();
    await (
      await connect()
    ).ended;
  });
});

describe('the panel clock', () => {
  const key = Buffer.alloc(16, 1);

  it('that is wrong by more than the standard allows gets a NAK with our time, and then its ACK', async () => {
    await rig.adopt('AAAA', { key_hex: key.toString('hex') });
    const { answer, naks } = await panelOf('AAAA', { key, now: () => now() + 25_000 }).contactId(
      '1130 01 005',
    );
    expect({ kind: answer?.kind, naks }).toEqual({ kind: 'ACK', naks: 1 });
    const behind = await panelOf('AAAA', { key, now: () => now() - 50_000, line: 'L7' }).contactId(
      '1130 01 006',
    );
    expect({ kind: behind.answer?.kind, naks: behind.naks }).toEqual({ kind: 'ACK', naks: 1 });
    expect(rig.core.events).toHaveLength(2);
  });

  it('that cannot be set does not hang the panel: alarms pass, news that all is well is not believed', async () => {
    await rig.adopt('AAAA', { key_hex: key.toString('hex') });
    const panel = panelOf('AAAA', { key });
    const send = (data: string, sequence: string) =>
      panel.send({ id: 'ADM-CID', data, sequence, timeMs: now() - 3_600_000 });
    expect(await send('#AAAA|1130 01 005', '0001')).toMatchObject({ naks: 2, answer: { kind: 'ACK' } });
    expect(await send('#AAAA|1401 01 003', '0002')).toMatchObject({ naks: 2, answer: { kind: 'ACK' } });
    expect(rig.core.events.map((event) => [event.type, event.data['clock_suspect']])).toEqual([
      ['panel.alarm', true],
      ['panel.trouble', true],
    ]);
  });

  it('of a plain panel is not tested: it would only be wedged', async () => {
    const { answer, naks } = await panelOf('BBBB', {
      stampPlain: true,
      now: () => now() + 3_600_000,
    }).contactId('1130 01 005');
    expect({ kind: answer?.kind, naks }).toEqual({ kind: 'ACK', naks: 0 });
    expect(rig.core.events[0]?.data['clock_suspect']).toBe(true);
  });
});

describe('what cannot be read', () => {
  it('gets DUH, is stored and counted, and somebody is told once', async () => {
    const account = await rig.adopt('CCCC', { key_hex: '00'.repeat(16) });
    const panel = panelOf('CCCC', { key: Buffer.alloc(16, 9) });
    expect((await panel.contactId('1130 01 005')).answer).toMatchObject({ kind: 'DUH', encrypted: false });
    expect((await panel.contactId('1130 01 005')).answer?.kind).toBe('DUH');
    const trouble = await until(() => rig.core.events[0]);
    expect(trouble).toMatchObject({ type: 'panel.trouble', data: { reason: 'not_decipherable' } });
    expect(rig.core.events).toHaveLength(1);
    const { body } = await rig.rest('GET', `/panel/accounts/${account.id}`);
    expect(body).toMatchObject({ bad_frames: 2, frames: 0 });
  });

  it('includes a plain frame for an account that must encrypt', async () => {
    await rig.adopt('CCCC', { key_hex: '00'.repeat(16), require_encryption: true });
    expect((await panelOf('CCCC').contactId('1401 01 003')).answer?.kind).toBe('DUH');
    const trouble = await until(() => rig.core.events[0]);
    expect(trouble.data['reason']).toBe('encryption_required');
  });
});

describe('sent again', () => {
  it('while core is away there is no ACK; when it is back there is exactly one event', async () => {
    await rig.core.stop();
    const panel = panelOf('1234', { answerMs: 150, attempts: 200 });
    const delivery = panel.contactId('1130 01 005');
    const test = panelOf('1235', { answerMs: 150, attempts: 2 });
    await until(() => rig.log.some((line) => line.includes('core_away')) || undefined);
    expect((await test.linkTest()).answer).toBeUndefined();
    await rig.core.start();
    const { answer, attempts } = await delivery;
    expect(answer?.kind).toBe('ACK');
    expect(attempts).toBeGreaterThan(1);
    expect(rig.core.events).toHaveLength(1);
  });

  it('a report that was stored while core was away arrives even when its panel never calls again', async () => {
    await rig.core.stop();
    const panel = panelOf('1234', { attempts: 1 });
    const delivery = panel.contactId('1120 01 007');
    await until(() => waiting() > 0 || undefined);
    panel.close();
    expect((await delivery).answer).toBeUndefined();
    await rig.core.start();
    expect(await until(() => rig.core.events[0])).toMatchObject({ type: 'panel.panic' });
  });

  it('after a commit whose answer was lost there is one event', async () => {
    rig.core.breakAnswers = true;
    const delivery = panelOf('1234', { answerMs: 300, attempts: 50 }).contactId('1130 01 005');
    await until(() => rig.core.batches.length > 1 || undefined);
    rig.core.breakAnswers = false;
    expect((await delivery).answer?.kind).toBe('ACK');
    expect(rig.core.events).toHaveLength(1);
  });

  it('with the same or a renewed timestamp it is one event; under the next number it is two', async () => {
    const panel = panelOf('1234', { stampPlain: true });
    for (const timeMs of [now(), now(), now() + 5_000]) {
      const again = await panel.contactId('1130 01 005', { sequence: '0042', timeMs });
      expect(again.answer?.kind).toBe('ACK');
    }
    expect(rig.core.events).toHaveLength(1);
    await panel.contactId('1130 01 005', { sequence: '0043' });
    expect(rig.core.events).toHaveLength(2);
  });

  it('from a panel that always sends the same number, a new alarm behind a restore is new', async () => {
    const panel = panelOf('1234');
    for (const report of ['1130 01 005', '3130 01 005', '1130 01 005']) {
      await panel.contactId(report, { sequence: '0001' });
    }
    expect(rig.core.events.map((event) => event.type)).toEqual([
      'panel.alarm',
      'panel.restored',
      'panel.alarm',
    ]);
  });

  it('an event that core will never take is refused by name and blocks nothing', async () => {
    rig.core.refuseWith = { status: 400, code: 'validation_failed' };
    const refused = panelOf('1234', { answerMs: 300, attempts: 1 }).contactId('1130 01 005');
    await until(() => rig.log.some((line) => line.includes('core_refused_event')) || undefined);
    expect((await refused).answer).toBeUndefined();
    rig.core.refuseWith = undefined;
    expect((await panelOf('1235').contactId('1130 01 006')).answer?.kind).toBe('ACK');
  });
});
