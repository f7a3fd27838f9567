/** The part of calls in the bridge, with a plan and a Kamailio that are made up: a house with two users, a desk phone, a group and a door. */
import { createSocket } from 'node:dgram';
import { internalPaths, type InternalPerson, type PhoneCall } from '@siphera/contract';
import { systemClock, systemRandom, type Clock } from '@siphera/runtime';
import { freePort, waitFor } from '@siphera/testkit';
import { createCallsPart } from '../calls.part.ts';
import type { CallEvent } from '../domain/switch-event.ts';
import { office, startBridgeRig, testOrg, yard, type Asked, type BridgeRig } from './bridge-rig.ts';
import { fakeBook, type FakeBook } from './fake-book.ts';

export const station = systemRandom.uuid();
export const door = systemRandom.uuid();
export const camera = systemRandom.uuid();

export type CallsRig = BridgeRig & {
  book: FakeBook;
  ada: InternalPerson;
  bob: InternalPerson;
  digitPort: number;
  /** A step of a call; the caller's fields come with each, as Kamailio sends them. */
  step(call: string, state: CallEvent['state'], more?: Record<string, unknown>): void;
  /** A call of the door station up to where it rings, or is answered. */
  doorCall(call: string, answeredBy?: string): void;
  /** What a media relay sends for a key. */
  relayDigit(report: Record<string, unknown> | string): Promise<void>;
  board(asked?: Asked): Promise<PhoneCall[]>;
  calls(query?: string, asked?: Asked): Promise<PhoneCall[]>;
  events(type: string): { subject?: string | undefined; data: Record<string, unknown> }[];
  commands(): Record<string, unknown>[];
};

export async function startCallsRig(
  options: { clock?: Clock; env?: Record<string, string> } = {},
): Promise<CallsRig> {
  const clock = options.clock ?? systemClock;
  const book = fakeBook();
  const digitPort = await freePort();
  const people: InternalPerson[] = [];
  const rig = await startBridgeRig({
    ...options,
    env: { DTMF_LISTEN: `127.0.0.1:${digitPort}`, ...options.env },
    parts: (ground) => [createCallsPart(ground, book).part],
    before: (core) => {
      for (const name of ['Ada', 'Bob']) people.push(core.directory.addPerson(testOrg, name, 'guard'));
      core.answers.set(internalPaths.command, () => ({ command_id: systemRandom.uuid() }));
    },
  });
  const [ada, bob] = people;
  if (!ada || !bob) throw new Error('nobody works here');
  fillHouse(book, ada, bob);
  const step: CallsRig['step'] = (call, state, more = {}) =>
    rig.kamailio.report({ kind: 'call', call, state, at_ms: clock.now(), ...more });
  return Object.assign(rig, {
    book,
    ada,
    bob,
    digitPort,
    step,
    doorCall(call: string, answeredBy?: string) {
      const leg = { direction: 'internal', from: '3001', dialled: '4000', to: '4000', source: '10.0.0.9' };
      step(call, 'dialled', leg);
      step(call, 'ringing', leg);
      if (answeredBy !== undefined)
        step(call, 'answered', {
          ...leg,
          by: answeredBy,
          from_tag: 'door-tag',
          to_tag: 'guard-tag',
          to_source: '10.0.0.5',
        });
    },
    relayDigit: (report: Record<string, unknown> | string) => send(digitPort, report),
    board: async (asked?: Asked) => {
      const { body } = await rig.rest('GET', '/sip/board', undefined, asked);
      return (body as { items: PhoneCall[] }).items;
    },
    calls: async (query = 'of=all', asked?: Asked) => {
      const { body } = await rig.rest('GET', `/sip/calls?${query}`, undefined, asked);
      return (body as { items: PhoneCall[] }).items;
    },
    events: (type: string) => rig.core.events.filter((event) => event.type === type),
    commands: () =>
      rig.core.posts
        .filter(({ path }) => path === internalPaths.command)
        .map(({ body }) => body as Record<string, unknown>),
  });
}

function fillHouse(book: FakeBook, ada: InternalPerson, bob: InternalPerson): void {
  book.put({ number: '2001', kind: 'user', name: 'Ada', user_id: ada.id });
  book.put({ number: '2002', kind: 'user', name: 'Bob', user_id: bob.id });
  book.put({ number: '2100', kind: 'phone', name: 'Reception', area_id: office });
  book.put({ number: '4000', kind: 'group', name: 'Guards', members: ['2001', '2002', '2100'] });
  book.put({
    number: '3001',
    kind: 'door',
    name: 'Main gate',
    area_id: yard,
    rings: '4000',
    device_id: station,
    door_id: door,
    camera_id: camera,
    open_digit: '9',
    open_seconds: 7,
  });
}

async function send(port: number, report: Record<string, unknown> | string): Promise<void> {
  const socket = createSocket('udp4');
  const text = typeof report === 'string' ? report : JSON.stringify({ type: 'DTMF', ...report });
  await new Promise<void>((resolve, reject) =>
    socket.send(text, port, '127.0.0.1', (error) => (error ? reject(error) : resolve())),
  );
  socket.close();
}

/** Waits until the counter of the bridge's metrics has that value. */
export const counted = (rig: CallsRig, name: string, outcome: string, value = 1): Promise<unknown> =>
  waitFor(`${value} of ${name} with ${outcome}`, async () => {
    const response = await fetch(`http://127.0.0.1:${rig.bridge.metricsPort}/metrics`);
    const line = `siphera_sip_bridge_${name}{outcome="${outcome}"} ${value}`;
    return (await response.text()).split('\n').includes(line);
  });
