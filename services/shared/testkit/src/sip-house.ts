/**
 * A house with phones and two trunks for tests of Kamailio: a plan as the bridge makes one, and ends by UDP that sign in. Each has an
 * address of its own, because limits, trunks and places are by address.
 */
import { type SipServer, type SipServerOptions, startSipServer } from './kamailio.ts';
import { phoneSdp, type SipMessage } from './sip-message.ts';
import {
  openSipPeer,
  type SipDialog,
  type SipPeer,
  type SipPeerOptions,
  type SipRequest,
} from './sip-peer.ts';
import type { SipPlan } from './sip-plan.ts';
import { freePort } from './ports.ts';
import { tempDir } from './temp-dir.ts';

export type SipHouse = AsyncDisposable & {
  server: SipServer;
  dir: string;
  plan: SipPlan;
  /** Signed in as `desk<number>` from 127.0.0.<last two digits of the number>. */
  phone: (number: string) => Promise<SipPeer>;
  /** Any end: a stranger unless it is told who it is. */
  peer: (
    options: Omit<SipPeerOptions, 'server'> & Partial<Pick<SipPeerOptions, 'server'>>,
  ) => Promise<SipPeer>;
  /** `one` has the priority. */
  trunk: (name: 'one' | 'two', options?: Partial<SipPeerOptions>) => Promise<SipPeer>;
  /** Closes all ends. */
  hangUp: () => Promise<void>;
};

export const trunkAddresses = { one: '127.0.0.31', two: '127.0.0.32' } as const;
const numbers = ['101', '102', '103', '104'] as const;

export async function openSipHouse(
  change: (plan: SipPlan) => SipPlan = (plan) => plan,
  options: Partial<SipServerOptions> = {},
): Promise<SipHouse> {
  const dir = await tempDir('sip');
  const ports = { one: await freePort(), two: await freePort() };
  const plan = change(housePlan(ports));
  const server = await startSipServer({ dir: dir.path, plan, ...options });
  const open: SipPeer[] = [];
  const signedIn = new Set<SipPeer>();
  const peer: SipHouse['peer'] = async (wanted) => {
    const one = await openSipPeer({ server, ...wanted });
    open.push(one);
    return one;
  };
  const hangUp = async () => {
    await Promise.all([...signedIn].map((one) => one.register(0)));
    signedIn.clear();
    await Promise.all(open.splice(0).map((one) => one.close()));
  };
  return {
    server,
    dir: dir.path,
    plan,
    peer,
    phone: async (number) => {
      const one = await peer({
        address: `127.0.0.${number.slice(-2).replace(/^0/, '1')}`,
        number,
        credentials: { username: `desk${number}`, password: `secret-of-${number}` },
      });
      const answer = await one.register();
      if (answer.status !== 200) throw new Error(`${number} could not sign in: ${answer.startLine}`);
      signedIn.add(one);
      return one;
    },
    trunk: (name, wanted = {}) =>
      peer({ address: trunkAddresses[name], port: ports[name], number: '+15550009999', ...wanted }),
    hangUp,
    [Symbol.asyncDispose]: async () => {
      signedIn.clear();
      await hangUp();
      await server.stop();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const housePlan = (ports: { one: number; two: number }): SipPlan => ({
  account: Object.fromEntries(
    numbers.map((number) => [`desk${number}`, { number, secret: `secret-of-${number}` }]),
  ),
  number: {
    '101': {
      kind: 'user',
      name: 'José of the front desk',
      classes: 'internal,local,national',
      cap: 50,
      out: '+15557770101',
      loc: 'lobby',
      ring: 20,
    },
    '102': { kind: 'phone', name: 'Gate', classes: 'internal', ring: 20 },
    '103': { kind: 'phone', name: 'Store', classes: 'internal', ring: 20 },
    '104': { kind: 'phone', name: 'Yard', classes: 'internal,local', cap: 2, ring: 5, fallback: '103' },
    '600': { kind: 'group', name: 'All guards', ring: 20 },
  },
  member: { '600': '102 103' },
  did: { '+15557770600': '600', '+15557770101': '101' },
  prefix: { own: 'national', any: 'international', '1555': 'local', '1900': 'premium' },
  location: { lobby: { label: 'Lobby of the house', phone: '104' } },
  setting: {
    country_code: 1,
    national_prefix: 1,
    international_prefix: '011',
    area_code: '555',
    outside_prefixes: '9',
    out: '+15557770100',
    default_location: 'lobby',
  },
  trunk: {
    one: { name: 'First', style: 'none', format: 'e164', domain: 'one.example' },
    two: {
      name: 'Second',
      style: 'none',
      format: 'national',
      user: 'house',
      realm: 'two.example',
      password: 'trunk-secret',
      domain: 'two.example',
    },
  },
  address: [
    { group: 1, network: `${trunkAddresses.one}/32`, tag: 'one' },
    { group: 1, network: `${trunkAddresses.two}/32`, tag: 'two' },
  ],
  destinations: [
    { set: 1, uri: `sip:${trunkAddresses.one}:${ports.one}`, priority: 20, trunk: 'one' },
    { set: 1, uri: `sip:${trunkAddresses.two}:${ports.two}`, priority: 10, trunk: 'two' },
  ],
});

/** Rings, answers with sound, and waits for the acknowledgement. */
export async function pickUp(called: SipPeer, invite?: SipMessage): Promise<SipDialog> {
  const asked = invite ?? (await called.nextRequest('INVITE'));
  called.answer(asked, 180);
  const dialog = called.answer(asked, 200, { body: phoneSdp(called.address, 21_000) });
  await called.nextRequest('ACK');
  return dialog;
}

/** Both ends of a call that was taken. */
export async function connectCall(caller: SipPeer, called: SipPeer, user: string, request: SipRequest = {}) {
  const [dialled, taken] = await Promise.all([caller.call(user, request), pickUp(called)]);
  return { dialled, taken };
}
