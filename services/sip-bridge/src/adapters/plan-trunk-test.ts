/**
 * Tries a trunk step by step, without a call: its name, the way to it, whether it answers, whether we are registered, what its numbers
 * ring. OPTIONS that count are those of Kamailio, which alone may have leave to talk to it; ours are for a trunk that is not in use yet.
 */
import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TrunkTest } from '@siphera/contract';
import { AppError, type Random } from '@siphera/runtime';
import type { z } from 'zod';
import { addressesOf } from '../domain/trunk.ts';
import type { PlanBook, PlannedTrunk } from '../plan.part.ts';
import { bareHost, type Resolve } from './plan-trunk-names.ts';
import type { PlanTrunkWatch } from './plan-trunk-watch.ts';

/** Whoever waits for the page. A trunk that needs longer for one answer is too slow for an emergency call anyway. */
const stepMsMax = 3_000;
/** RFC 3261 §17.1.2.2: T1, then twice as long. */
const sendAgainMs = [500, 1_000];

type Step = z.infer<typeof TrunkTest>['steps'][number];
export type TrunkTestNeeds = {
  book: Pick<PlanBook, 'extension'>;
  watch: Pick<PlanTrunkWatch, 'look' | 'state'>;
  resolve: Resolve;
  random: Random;
  domain: string;
};

export async function testTrunk(
  needs: TrunkTestNeeds,
  trunk: PlannedTrunk,
  known: readonly string[],
): Promise<Step[]> {
  const { step: name, addresses } = await nameStep(needs, trunk, known);
  const [first] = addresses;
  const steps = [name];
  if (first !== undefined && trunk.transport !== 'udp') steps.push(await connectionStep(trunk, first));
  steps.push(...(await stateSteps(needs, trunk, first)));
  const from = addressesOf({ trunk, resolved: addresses });
  steps.push({
    what: 'Addresses that its calls are known by',
    ok: from.length > 0,
    detail: from.length > 0 ? from.join(', ') : 'None: its calls would be refused',
  });
  const dead = trunk.numbers.filter(({ extension }) => needs.book.extension(extension) === undefined);
  if (trunk.numbers.length > 0)
    steps.push({
      what: 'Its numbers ring somebody',
      ok: dead.length === 0,
      detail:
        dead.length === 0
          ? `${trunk.numbers.length} of ${trunk.numbers.length}`
          : dead.map(({ number, extension }) => `${number} rings ${extension}, which nobody has`).join('; '),
    });
  return steps;
}

async function nameStep(
  { resolve }: TrunkTestNeeds,
  { host }: PlannedTrunk,
  known: readonly string[],
): Promise<{ step: Step; addresses: readonly string[] }> {
  const what = 'Host name';
  const bare = bareHost(host);
  if (isIP(bare) !== 0)
    return { step: { what, ok: true, detail: `${bare} is an address` }, addresses: [bare] };
  try {
    const addresses = await resolve(host);
    const ok = addresses.length > 0;
    const detail = ok ? `${host} is ${addresses.join(', ')}` : `${host} has no address`;
    return { step: { what, ok, detail }, addresses: ok ? addresses : known };
  } catch (error) {
    const kept = known.length > 0 ? `; calls go on to ${known.join(', ')}, which it was last` : '';
    return {
      step: { what, ok: false, detail: `${host} cannot be resolved (${codeOf(error)})${kept}` },
      addresses: known,
    };
  }
}

async function connectionStep({ host, port, transport }: PlannedTrunk, address: string): Promise<Step> {
  const what = transport === 'tls' ? 'TLS connection' : 'TCP connection';
  const servername = isIP(bareHost(host)) === 0 ? host : undefined;
  const socket: Socket =
    transport === 'tls'
      ? // What is wrong with a certificate is said below, and nothing is sent.
        connectTls({
          host: address,
          port,
          rejectUnauthorized: false,
          ...(servername === undefined ? {} : { servername }),
        })
      : connectTcp({ host: address, port });
  return new Promise((resolve) => {
    const end = (ok: boolean, detail: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ what, ok, detail });
    };
    const timer = setTimeout(() => end(false, `No answer from ${address} port ${port}`), stepMsMax);
    socket.once('error', (error) => end(false, `${address} port ${port}: ${codeOf(error)}`));
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      const fault = transport === 'tls' ? certificateFault(socket) : undefined;
      end(fault === undefined, fault ?? `${address} port ${port} answers`);
    });
  });
}

function certificateFault(socket: Socket): string | undefined {
  const { authorizationError: fault } = socket as Socket & { authorizationError?: Error | string | null };
  if (!fault) return undefined;
  return `It answers, but its certificate is not trusted: ${fault instanceof Error ? fault.message : fault}`;
}

async function stateSteps(
  needs: TrunkTestNeeds,
  trunk: PlannedTrunk,
  address: string | undefined,
): Promise<Step[]> {
  try {
    await needs.watch.look();
  } catch (error) {
    const detail = error instanceof AppError ? error.message : 'It does not say how trunks are';
    return [{ what: 'SIP server', ok: false, detail }];
  }
  const { reachable, registered, detail } = needs.watch.state(trunk);
  const steps: Step[] = [];
  if (reachable !== null) steps.push({ what: 'Answers OPTIONS of the SIP server', ok: reachable, detail });
  else if (trunk.transport === 'udp' && address !== undefined)
    steps.push(await optionsStep(needs, trunk, address));
  else steps.push({ what: 'Answers OPTIONS of the SIP server', ok: false, detail });
  if (trunk.kind === 'register')
    steps.push({
      what: 'Registration',
      ok: registered === true,
      detail:
        registered === null
          ? 'It is switched off'
          : registered
            ? 'We are registered'
            : 'We are not registered',
    });
  return steps;
}

async function optionsStep(
  { random, domain }: TrunkTestNeeds,
  { host, port }: PlannedTrunk,
  address: string,
): Promise<Step> {
  const what = 'Answers OPTIONS';
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const end = (ok: boolean, detail: string): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.close();
      resolve({ what, ok, detail });
    };
    const callId = random.uuid();
    timers.push(setTimeout(() => end(false, `No answer from ${address} port ${port}`), stepMsMax));
    socket.once('error', (error) => end(false, `${address} port ${port}: ${codeOf(error)}`));
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1', 0, 4_096);
      const answer = /^SIP\/2\.0 (\d{3} [^\r\n]{0,100})/.exec(text)?.[1];
      if (answer === undefined || !text.includes(callId)) return;
      end(/^[234]/.test(answer), `It answers ${answer}`);
    });
    socket.connect(port, address, () => {
      const own = socket.address();
      const via = isIP(own.address) === 6 ? `[${own.address}]:${own.port}` : `${own.address}:${own.port}`;
      const request = optionsRequest({ host, port, via, domain, callId });
      const send = (): void => socket.send(request);
      send();
      timers.push(...sendAgainMs.map((ms) => setTimeout(send, ms)));
    });
  });
}

const optionsRequest = (to: {
  host: string;
  port: number;
  via: string;
  domain: string;
  callId: string;
}): string =>
  [
    `OPTIONS sip:${to.host}:${to.port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${to.via};rport;branch=z9hG4bK${to.callId}`,
    'Max-Forwards: 1',
    `From: <sip:ping@${to.domain}>;tag=${to.callId}`,
    `To: <sip:${to.host}>`,
    `Call-ID: ${to.callId}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

const codeOf = (error: unknown): string =>
  (error as { code?: string } | undefined)?.code ?? (error instanceof Error ? error.message : String(error));
