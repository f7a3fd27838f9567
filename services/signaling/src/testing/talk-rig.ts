/**
 * Signaling in this process beside a core for tests, with people, their sessions and devices. For the tests of all parts of
 * talk; `rig.ts` runs it as a process.
 */
import { join } from 'node:path';
import {
  apiPrefix,
  talkRoutes,
  talkUserId,
  TalkOpened,
  type ClientToServer,
  type Grant,
  type InternalPerson,
  type QueueBatch,
  type QueueItem,
  type Route,
  type ServerToClient,
  type SocketBye,
  type TalkGone,
  type TalkRouteName,
} from '@siphera/contract';
import { createLogger, systemRandom } from '@siphera/runtime';
import { exchange, tempDir, waitFor } from '@siphera/testkit';
import { io, type Socket } from 'socket.io-client';
import type { z } from 'zod';
import { configSchema } from '../config.ts';
import { startSignaling, type RunningSignaling, type SignalingOptions } from '../start-signaling.ts';
import { grant, orgScope, startFeedServer, type FeedServer } from './feed-server.ts';
import { makeDeviceKeys, makeOneTimeKeys, makePair, type SigningPair } from './test-keys.ts';

export const testOrg = orgScope.slice('org:'.length);
const publicOrigin = 'https://box.test';
const migrations = join(import.meta.dirname, '..', '..', 'migrations');

export type RestAnswer = { status: number; body: unknown };
export type RestInput = {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
  /** Bytes of an upload. */
  upload?: Buffer;
};

/** Where the service is, and as whose page a socket comes. */
export type TalkUrl = { url: string; origin?: string };
export type TalkRig = AsyncDisposable &
  TalkUrl & {
    core: FeedServer;
    signaling: RunningSignaling;
    log: string[];
    /** Adds somebody who works here. */
    user(input?: UserInput): Promise<TestUser>;
    /** Ends the service and starts it again on the same files. @param meanwhile done while it is down. */
    restart(meanwhile?: () => void): Promise<void>;
  };
export type UserInput = {
  name?: string;
  grants?: Grant[];
  roles?: InternalPerson['roles'];
  siteIds?: string[];
  password?: string;
};

/** A user with one session. */
export type TestUser = {
  id: string;
  /** `@user:org`. */
  talkId: string;
  name: string;
  sid: string;
  token: string;
  /** A further session of the same user. */
  session(): Promise<TestUser>;
  call(route: TalkRouteName, input?: RestInput): Promise<RestAnswer>;
  /** Connects a socket, without a queue. */
  connect(): Promise<TestSocket>;
  /** Makes a device with keys and proves it for this session. */
  device(name?: string, kind?: 'personal' | 'shared'): Promise<TestDevice>;
};

export type TestSocket = Disposable & {
  socket: Socket<ServerToClient, ClientToServer>;
  batches: z.infer<typeof QueueBatch>[];
  gone: z.infer<typeof TalkGone>[];
  byes: SocketBye[];
};

export type TestDevice = {
  user: TestUser;
  id: string;
  share: string;
  pair: SigningPair;
  /** Of this session; by another with `as`. */
  attach(as?: TestUser): Promise<RestAnswer>;
  /** Opens the queue on a new socket and takes all that comes. */
  open(as?: TestUser): Promise<TestQueue>;
};
export type TestQueue = TestSocket & {
  /** Items of all batches, each once, in the order in which they came. */
  items: z.infer<typeof QueueItem>[];
};

type Options = Pick<SignalingOptions, 'clock' | 'random' | 'parts'> & { env?: Record<string, string> };

/** @param options `parts` instead of all parts; `env` further settings. */
export async function startTalkRig(options: Options = {}): Promise<TalkRig> {
  const dir = await tempDir('talk');
  const core = await startFeedServer(`unix:${join(dir.path, 'core.sock')}`);
  const log: string[] = [];
  const { env, ...rest } = options;
  const start = (): Promise<RunningSignaling> =>
    startSignaling({
      config: configSchema.parse({
        SIGNALING_LISTEN: '127.0.0.1:0',
        SIGNALING_METRICS_LISTEN: '127.0.0.1:0',
        DATA_DIR: join(dir.path, 'data'),
        SIGNALING_KEY: Buffer.alloc(32, 7).toString('base64'),
        CORE_INTERNAL_URL: core.url,
        PUBLIC_ORIGINS: publicOrigin,
        ...env,
      }),
      log: createLogger({
        service: 'signaling',
        level: 'debug',
        destination: { write: (line) => void log.push(line) },
      }),
      migrations,
      ...rest,
    });
  let signaling = await start();
  const rig: TalkRig = {
    core,
    log,
    get url() {
      return `http://127.0.0.1:${signaling.port}`;
    },
    get signaling() {
      return signaling;
    },
    user: (input) => addUser(rig, core, input, (id) => signaling.ground.people.get(id) !== undefined),
    restart: async (meanwhile) => {
      await signaling.stop();
      meanwhile?.();
      signaling = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await signaling.stop();
      await core.close();
      await dir.remove();
    },
  };
  return rig;
}

/** @param isKnown waits until signaling knows him; a service in another process is waited for otherwise. */
export async function addUser(
  target: TalkUrl,
  core: FeedServer,
  input: UserInput = {},
  isKnown: (id: string) => boolean | Promise<boolean> = () => true,
): Promise<TestUser> {
  const id = systemRandom.uuid();
  const name = input.name ?? 'Gil Guard';
  const grants = input.grants ?? [grant(orgScope, 'talk.use', 'event.read', 'incident.read')];
  if (input.password !== undefined) core.passwords.set(id, input.password);
  core.putPerson({
    id,
    org_id: testOrg,
    name,
    active: true,
    roles: input.roles ?? [{ role: 'guard', scope: orgScope, scope_name: 'Test' }],
    site_ids: input.siteIds ?? [],
    grants,
    on_duty: false,
  });
  await waitFor('signaling to know the user', () => isKnown(id));
  return session(target, core, { id, name, grants });
}

async function session(
  target: TalkUrl,
  core: FeedServer,
  person: { id: string; name: string; grants: Grant[] },
): Promise<TestUser> {
  const sid = systemRandom.uuid();
  const token = await core.token({ sub: person.id, sid, name: person.name, grants: person.grants });
  return talkingUser(target, { ...person, orgId: testOrg, sid, token }, () => session(target, core, person));
}

/** @param again signs him in once more. */
export function talkingUser(
  target: TalkUrl,
  who: { id: string; orgId: string; name: string; sid: string; token: string },
  again: () => Promise<TestUser>,
): TestUser {
  const user: TestUser = {
    id: who.id,
    talkId: talkUserId(who.id, who.orgId),
    name: who.name,
    sid: who.sid,
    token: who.token,
    session: again,
    call: (route, input) => callTalk(target, who.token, route, input),
    connect: () => connect(target, who.token),
    device: (name, kind) => makeDevice(user, name, kind),
  };
  return user;
}

/** Calls a route without judging the answer. */
export async function callTalk(
  target: TalkUrl,
  token: string | undefined,
  name: TalkRouteName,
  { params = {}, query = {}, body, upload }: RestInput = {},
): Promise<RestAnswer> {
  const route: Route = talkRoutes[name];
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
  const payload = upload ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)));
  const search = Object.keys(query).length > 0 ? `?${new URLSearchParams(query).toString()}` : '';
  const answer = await exchange(`${target.url}${apiPrefix}${path}${search}`, {
    method: route.method.toUpperCase(),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(payload === undefined
        ? {}
        : {
            'content-type': upload ? 'application/octet-stream' : 'application/json',
            'content-length': String(payload.length),
          }),
    },
    ...(payload === undefined ? {} : { body: payload }),
  });
  if (route.download !== undefined && answer.status === 200) return { status: 200, body: answer.body };
  const text = answer.body.toString('utf8');
  return { status: answer.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

async function connect(target: TalkUrl, token: string): Promise<TestSocket> {
  const socket: Socket<ServerToClient, ClientToServer> = io(target.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    extraHeaders: { origin: target.origin ?? publicOrigin },
    auth: { token },
  });
  const seen: Pick<TestSocket, 'batches' | 'gone' | 'byes'> = { batches: [], gone: [], byes: [] };
  socket.on('talk', (batch) => seen.batches.push(batch));
  socket.on('talkGone', (gone) => seen.gone.push(gone));
  socket.on('bye', (bye) => seen.byes.push(bye));
  let refused: string | undefined;
  socket.on('connect_error', (error) => (refused = error.message));
  await waitFor('the socket', () => socket.connected || refused !== undefined);
  if (refused !== undefined) throw new Error(`The socket was refused: ${refused}`);
  return { ...seen, socket, [Symbol.dispose]: () => void socket.disconnect() };
}

/** @throws Error when the answer is not of the 2xx. */
export function okOf(answer: RestAnswer): unknown {
  if (answer.status >= 300) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function makeDevice(
  user: TestUser,
  name = 'Phone',
  kind: 'personal' | 'shared' = 'personal',
): Promise<TestDevice> {
  const made = TalkOpened.parse(okOf(await user.call('createTalkDevice', { body: { name, kind } })));
  const pair = makePair();
  const id = made.device_id;
  const keys = (ids: string[], options?: { fallback: true }) =>
    makeOneTimeKeys(user.talkId, id, pair, ids, options);
  const body = {
    device_id: id,
    device_keys: makeDeviceKeys(user.talkId, id, pair),
    one_time_keys: keys(['AAAAAQ', 'AAAAAg', 'AAAAAw']),
    fallback_keys: keys(['AAAABA'], { fallback: true }),
  };
  okOf(await user.call('uploadKeys', { body }));
  const attach = async (as = user): Promise<RestAnswer> => {
    const opened = TalkOpened.parse(okOf(await as.call('openTalkDevice', { params: { id } })));
    const signature = pair.sign(`siphera-attach:${opened.challenge}:${as.sid}`);
    return as.call('attachTalkDevice', {
      params: { id },
      body: { challenge: opened.challenge, signature },
    });
  };
  okOf(await attach());
  const open = (as = user): Promise<TestQueue> => openQueue(as, id);
  return { user, id, share: made.store_share, pair, attach, open };
}

async function openQueue(user: TestUser, deviceId: string): Promise<TestQueue> {
  const connection = await user.connect();
  const items: z.infer<typeof QueueItem>[] = [];
  let last = -1;
  connection.socket.on('talk', (batch) => {
    items.push(...batch.items.filter(({ pos }) => pos > last));
    last = Math.max(last, batch.upto);
    connection.socket.emit('talkDone', batch.upto);
  });
  const opened = await connection.socket.timeout(30_000).emitWithAck('talkOpen', { device_id: deviceId });
  if (!opened.ok) throw new Error(`The queue was not opened: ${opened.reason ?? ''}`);
  await waitFor('the first batch', () => connection.batches.length > 0);
  return { ...connection, items };
}
