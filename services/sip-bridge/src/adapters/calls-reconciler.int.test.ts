/** Calls whose end was not heard, with a file, a relay's port and a Kamailio that are made up. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { createLogger, migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { fakeClock, fakeRandom, freePort, tempDir, type FakeClock, type TempDir } from '@siphera/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SipBridgeConfig } from '../config.ts';
import { bencode } from '../domain/bencode.ts';
import type { CallStep } from '../domain/call-fold.ts';
import { CallOpeningStore } from '../store/call-opening.store.ts';
import { CallStore } from '../store/call.store.ts';
import { fakeBook } from '../testing/fake-book.ts';
import { FakeSwitch } from '../testing/fake-switch.ts';
import { CallsReconciler } from './calls-reconciler.ts';
import { CallsRecorder } from './calls-recorder.ts';
import { DoorVisits } from './door-visits.ts';

let directory: TempDir;
let db: Sqlite;
let clock: FakeClock;
let store: CallStore;
let recorder: CallsRecorder;
let reconciler: CallsReconciler;
let kamailio: FakeSwitch;
let relays: { socket: Socket; calls: string[] | undefined }[];
let uptime: number;
let dialogs: string[];

beforeEach(async () => {
  directory = await tempDir('lost');
  db = openDatabase(join(directory.path, 'bridge.db'));
  migrate(db, join(import.meta.dirname, '../../migrations'), 0);
  clock = fakeClock();
  kamailio = new FakeSwitch();
  uptime = 86_400;
  dialogs = [];
  kamailio.answers.set('core.uptime', () => ({ uptime }));
  kamailio.answers.set('dlg.list', () => [
    ...dialogs.map((id) => ({ h_entry: 1, h_id: 1, 'call-id': id, state: 4 })),
    // One that is over is listed for a moment.
    { h_entry: 1, h_id: 2, 'call-id': 'gone', state: 5 },
  ]);
  const ports = [await freePort(), await freePort()];
  relays = await Promise.all(ports.map(startRelay));
  const log = createLogger({ service: 'sip-bridge', destination: { write: () => undefined } });
  const config = SipBridgeConfig.parse({
    DATA_DIR: directory.path,
    SIP_DIR: directory.path,
    SIP_BRIDGE_KEY: Buffer.alloc(32).toString('base64'),
    SIP_SECRET: 'a-secret-for-softphones',
    KAMAILIO_RPC_SECRET: 'a-secret-for-kamailio',
    CORE_INTERNAL_URL: 'unix:/nowhere',
    RTPENGINE_CONTROL: ports.map((port, index) => `${'ab'[index]}=127.0.0.1:${port}`).join(','),
  });
  const people = {
    get: () => undefined,
    all: () => [],
    arrival: () => Promise.resolve(undefined),
    onChange: () => undefined,
  };
  const places = { all: () => ({ sites: [], areas: [] }), area: () => undefined, onChange: () => undefined };
  const ground = { db, clock, log, config, kamailio, people, places, random: fakeRandom() };
  const book = fakeBook();
  store = new CallStore(db);
  const nothing = { outbox: undefined as never, log };
  const visits = new DoorVisits({ ground: nothing, book, openings: new CallOpeningStore(db) });
  recorder = new CallsRecorder({ ground, book, store, visits, onEnd: () => undefined });
  reconciler = new CallsReconciler({ ground, store, recorder });
});
afterEach(async () => {
  for (const { socket } of relays) socket.close();
  db.close();
  await directory.remove();
});

/** Answers `list`; silent while `calls` is undefined. */
async function startRelay(port: number): Promise<(typeof relays)[number]> {
  const socket = createSocket('udp4');
  const relay: (typeof relays)[number] = { socket, calls: [] };
  socket.on('message', (bytes, from) => {
    const text = bytes.toString();
    const cookie = text.slice(0, text.indexOf(' '));
    if (relay.calls)
      socket.send(`${cookie} ${bencode({ result: 'ok', calls: relay.calls })}`, from.port, from.address);
  });
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return relay;
}

let made = 0;
const step = (call: string, state: CallStep['state'], more: Partial<CallStep> = {}): void => {
  made += 1;
  recorder.take(call, { uid: `u${made}`, atMs: clock.now(), state, from: '2001', to: '2002', ...more });
};
const talk = (call: string, more: Partial<CallStep> = {}): void => {
  step(call, 'dialled', more);
  step(call, 'answered', more);
};
const stateOf = (call: string): string | undefined => store.byCallId(call)?.state;
/** Two looks in a row, as long after the last report as they come in a running service. */
const lookTwice = async (): Promise<void> => {
  for (let look = 0; look < 2; look += 1) {
    clock.advance(20_000);
    await reconciler.look();
  }
};

it('are over when two looks in a row find them nowhere; a report after that shows that they go on', async () => {
  talk('gone');
  talk('known');
  dialogs = ['known'];
  clock.advance(20_000);
  await reconciler.look();
  expect(stateOf('gone')).toBe('answered');
  await reconciler.look();
  expect(stateOf('gone')).toBe('ended');
  expect(stateOf('known')).toBe('answered');
  expect(store.byCallId('gone')).toMatchObject({ outcome: 'answered', endedMs: clock.now() });
  clock.advance(1);
  step('gone', 'held');
  expect(stateOf('gone')).toBe('held');
});

it('go on when Kamailio was restarted and a relay carries them, or they go past the relays', async () => {
  talk('carried');
  talk('past', { relayed: false });
  talk('gone');
  uptime = 5;
  for (const relay of relays) relay.calls = [];
  relays[1]?.calls?.push('carried');
  await lookTwice();
  expect(['carried', 'past', 'gone'].map(stateOf)).toEqual(['answered', 'answered', 'ended']);
});

it('go on when nobody can say: a relay is silent, Kamailio is away, refuses, or speaks in riddles', async () => {
  talk('a');
  uptime = 5;
  const [first] = relays;
  if (first) first.calls = undefined;
  await lookTwice();
  uptime = 86_400;
  kamailio.answers.set('dlg.list', () => 'riddle');
  await lookTwice();
  kamailio.down = true;
  await lookTwice();
  expect(stateOf('a')).toBe('answered');
});

it('that are calls for help are looked for at the relays: Kamailio keeps no dialog of them', async () => {
  talk('help', { direction: 'emergency' });
  talk('over', { direction: 'emergency' });
  relays[0]?.calls?.push('help');
  await lookTwice();
  expect(['help', 'over'].map(stateOf)).toEqual(['answered', 'ended']);
});

it('are over when they are older than any call, though nobody can be asked', async () => {
  kamailio.down = true;
  step('rings', 'dialled');
  talk('talks');
  clock.advance(11 * 60_000);
  await reconciler.look();
  expect(['rings', 'talks'].map(stateOf)).toEqual(['ended', 'answered']);
  expect(store.byCallId('rings')).toMatchObject({ outcome: 'failed' });
  clock.advance(13 * 3_600_000);
  await reconciler.look();
  expect(stateOf('talks')).toBe('ended');
});

it('are kept for their time and no longer, the newest longest', () => {
  for (let index = 0; index < 6; index += 1) {
    step(`c${index}`, 'refused', { code: 403 });
    clock.advance(1_000);
  }
  step('live', 'dialled');
  const ids = (): string[] =>
    db.prepare<[], string>('SELECT call_id FROM calls ORDER BY started_ms').pluck().all();
  store.removeOld(clock.now() - 4_500, 100, 500);
  expect(ids()).toEqual(['c2', 'c3', 'c4', 'c5', 'live']);
  store.removeOld(0, 3, 500);
  expect(ids()).toEqual(['c4', 'c5', 'live']);
  store.removeOld(clock.now() + 1, 0, 500);
  expect(ids()).toEqual(['live']);
  expect(db.prepare('SELECT count(*) FROM call_scopes').pluck().get()).toBe(0);
});

it('take no further report once they are closed for good', () => {
  step('a', 'refused', { code: 403 });
  store.closeEnded(clock.now() + 1, 500);
  step('a', 'answered');
  expect(stateOf('a')).toBe('ended');
  expect(store.byCallId('a')?.outcome).toBe('refused');
});

it('keep the incident they were said to belong to', () => {
  talk('help', { direction: 'emergency' });
  store.setIncident('help', 'an-incident');
  step('help', 'ended');
  expect(store.byCallId('help')).toMatchObject({ state: 'ended', incidentId: 'an-incident' });
});
