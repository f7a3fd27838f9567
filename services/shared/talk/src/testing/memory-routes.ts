/** The routes of talk over the server in memory: what a test needs of each. */
import type { MembershipStatement } from '@siphera/contract';
import {
  Refused,
  type Caller,
  type Json,
  type MemoryServer,
  type ServerDevice,
  type ServerRoom,
} from './memory-server.ts';

export type Args = { params?: Record<string, string>; query?: Record<string, string>; body?: unknown };
type Handler = (server: MemoryServer, caller: Caller, args: Required<Args> & { body: Json }) => unknown;
type Messages = Record<string, Record<string, Json>>;

const userOf = (mx: string): string => mx.slice(1, 37);

function attached(server: MemoryServer, caller: Caller): ServerDevice {
  if (caller.device === undefined) throw new Refused('forbidden', 403);
  return server.device(caller.userId, caller.device);
}

const opened = (server: MemoryServer, device: ServerDevice): Json => ({
  device_id: device.id,
  user_id: server.mx(device.userId),
  kind: device.kind,
  has_keys: device.keys !== undefined,
  store_share: device.share,
  challenge: device.challenge,
});

/** The devices of a person that this caller is told of. */
const told = (server: MemoryServer, caller: Caller, userId: string): ServerDevice[] =>
  server.devicesOf(userId).filter((device) => server.tamper.hides?.(device, caller) !== true);

function member(server: MemoryServer, caller: Caller, id: string | undefined): ServerRoom {
  const room = server.rooms.get(id ?? '');
  if (!room || (room.kind === 'group' && !room.member_ids.includes(caller.userId)))
    throw new Refused('not_found', 404);
  return room;
}

function addSignatures(target: Json | undefined, signed: Json): void {
  if (!target) return;
  const all = (target['signatures'] ??= {}) as Record<string, Json>;
  for (const [user, more] of Object.entries(signed['signatures'] as Record<string, Json>))
    all[user] = { ...all[user], ...more };
}

const devices: Record<string, Handler> = {
  createTalkDevice: (server, caller, { body }) => {
    const id = server.nextName();
    const device: ServerDevice = {
      id,
      userId: caller.userId,
      name: String(body['name']),
      kind: body['kind'] as 'personal',
      share: Buffer.alloc(32, id).toString('base64'),
      challenge: `challenge-${id}`,
      keys: undefined,
      oneTime: {},
      claimed: new Set(),
      fallback: {},
      queue: [],
      listsSeen: 0,
      socket: undefined,
    };
    server.devices.set(id, device);
    return opened(server, device);
  },
  openTalkDevice: (server, caller, { params }) =>
    opened(server, server.device(caller.userId, params['id'] ?? '')),
  attachTalkDevice: (server, caller, { params }) => {
    caller.device = server.device(caller.userId, params['id'] ?? '').id;
  },
  removeTalkDevice: (server, caller, { params }) => {
    server.removeDevice(server.device(caller.userId, params['id'] ?? '').id);
  },
  uploadKeys: (server, caller, { body }) => {
    const device = server.device(caller.userId, String(body['device_id']));
    const first = device.keys === undefined && body['device_keys'] !== undefined;
    device.keys ??= body['device_keys'] as Json | undefined;
    // An upload whose answer was lost comes again: what was given out meanwhile is not given out twice.
    for (const [name, key] of Object.entries((body['one_time_keys'] ?? {}) as Record<string, Json>))
      if (!device.claimed.has(name)) device.oneTime[name] = key;
    if (body['fallback_keys'] !== undefined) device.fallback = body['fallback_keys'] as Record<string, Json>;
    if (first) {
      for (const other of server.devicesOf(caller.userId))
        if (other !== device)
          server.enqueue(other, {
            kind: 'device_new',
            device: { id: device.id, name: device.name, kind: device.kind },
            address: '192.0.2.1',
          });
      server.changed(caller.userId);
    }
    return { one_time_key_counts: { signed_curve25519: Object.keys(device.oneTime).length } };
  },
  queryKeys: (server, caller, { body }) => {
    const answer: Record<string, Json> = {
      device_keys: {},
      master_keys: {},
      self_signing_keys: {},
      user_signing_keys: {},
      failures: {},
    };
    for (const mx of Object.keys(body['device_keys'] as Json)) {
      const person = server.person(userOf(mx));
      (answer['device_keys'] ?? {})[mx] = Object.fromEntries(
        told(server, caller, userOf(mx)).map((device) => [device.id, device.keys]),
      );
      if (!person.master) continue;
      (answer['master_keys'] ?? {})[mx] = person.master;
      (answer['self_signing_keys'] ?? {})[mx] = person.selfSigning;
      if (userOf(mx) === caller.userId) (answer['user_signing_keys'] ?? {})[mx] = person.userSigning;
    }
    const whole = structuredClone({ ...answer, upto: server.lists });
    return server.tamper.queryKeys?.(whole, caller) ?? whole;
  },
  claimKeys: (server, caller, { body }) => {
    attached(server, caller);
    const keys: Record<string, Record<string, Json>> = {};
    for (const [mx, wanted] of Object.entries(body['one_time_keys'] as Messages))
      for (const id of Object.keys(wanted)) {
        const device = server.devices.get(id);
        const name = device && (Object.keys(device.oneTime)[0] ?? Object.keys(device.fallback)[0]);
        if (!device || name === undefined) continue;
        (keys[mx] ??= {})[id] = { [name]: device.oneTime[name] ?? device.fallback[name] };
        Reflect.deleteProperty(device.oneTime, name);
        device.claimed.add(name);
      }
    return { one_time_keys: keys, failures: {} };
  },
  uploadSigningKeys: (server, caller, { body }) => {
    attached(server, caller);
    const person = server.person(caller.userId);
    if (person.master && body['reset'] === undefined) throw new Refused('conflict', 409);
    person.master = body['master_key'] as Json;
    person.selfSigning = body['self_signing_key'] as Json;
    person.userSigning = body['user_signing_key'] as Json;
    server.changed(caller.userId);
  },
  uploadSignatures: (server, caller, { body }) => {
    attached(server, caller);
    for (const [mx, all] of Object.entries(body as Messages)) {
      for (const [name, signed] of Object.entries(all)) {
        const person = server.person(userOf(mx));
        const isMaster = Object.values((person.master?.['keys'] ?? {}) as Json).includes(name);
        addSignatures(isMaster ? person.master : server.devices.get(name)?.keys, signed);
      }
      server.changed(userOf(mx));
    }
    return { failures: {} };
  },
};

/** Exactly the devices of these people but the sender's. */
function covered(
  server: MemoryServer,
  caller: Caller,
  users: readonly string[],
  but: string,
  messages: Messages,
): boolean {
  const wanted = users
    .flatMap((user) => told(server, caller, userOf(user)).map((one) => one.id))
    .filter((id) => id !== but);
  const given = Object.values(messages).flatMap((all) => Object.keys(all));
  return wanted.length === given.length && wanted.every((id) => given.includes(id));
}

const messages: Record<string, Handler> = {
  sendToDevice: (server, caller, { params, body }) => {
    const from = attached(server, caller);
    const name = `${from.id}:${params['txn'] ?? ''}`;
    if (server.done.has(name)) return server.done.get(name);
    for (const [mx, all] of Object.entries(body['messages'] as Messages))
      for (const [id, content] of Object.entries(all))
        for (const device of server.devicesOf(userOf(mx)))
          if (device.id === id || id === '*')
            server.enqueue(device, {
              kind: 'to_device',
              event: {
                type: params['type'],
                sender: server.mx(caller.userId),
                sender_device: from.id,
                content,
              },
            });
    server.done.set(name, { unknown: [] });
    return { unknown: [] };
  },
  sendDirect: (server, caller, { body }) => {
    const from = attached(server, caller);
    const id = String(body['message_id']);
    if (server.done.has(id)) return server.done.get(id);
    const to = String(body['to']);
    const users = [...new Set([to, server.mx(caller.userId)])];
    const all = body['messages'] as Messages;
    if (!covered(server, caller, users, from.id, all)) throw new Refused('conflict', 409);
    for (const perDevice of Object.values(all))
      for (const [deviceId, content] of Object.entries(perDevice)) {
        const device = server.devices.get(deviceId);
        const event = {
          type: 'm.room.encrypted',
          sender: server.mx(caller.userId),
          sender_device: from.id,
          content,
          message_id: id,
        };
        if (device) server.enqueue(device, { kind: 'to_device', event });
      }
    const answer = { at: server.at() };
    server.done.set(id, answer);
    return answer;
  },
  sendRoomEvent: (server, caller, { params, body }) => {
    const from = attached(server, caller);
    const room = member(server, caller, params['id']);
    const id = String(body['event_id']);
    if (server.done.has(id)) return server.done.get(id);
    const changedAt = Math.max(0, ...room.member_ids.map((userId) => server.person(userId).changedAt));
    if (changedAt > Number(body['devices_upto']) || body['statements'] !== room.statements.length)
      throw new Refused('conflict', 409);
    room.last_seq += 1;
    const event = {
      room_id: room.id,
      seq: room.last_seq,
      event_id: id,
      sender: server.mx(caller.userId),
      sender_device: from.id,
      at: server.at(),
      content: body['content'] as Json,
    };
    room.events.push(event);
    for (const userId of room.member_ids)
      for (const device of server.devicesOf(userId))
        if (device.id !== from.id) server.enqueue(device, { kind: 'room_event', event });
    server.done.set(id, event);
    return event;
  },
};

const rooms: Record<string, Handler> = {
  listRooms: (server, caller) => ({
    items: [...server.rooms.values()]
      .filter((room) => room.member_ids.includes(caller.userId))
      .map((room) => server.view(room)),
  }),
  createRoom: async (server, caller, { body }) => {
    attached(server, caller);
    const room = server.addRoom(String(body['id']), 'group', null);
    await server.state(room, body['statement'] as MembershipStatement);
    return server.view(room);
  },
  getRoom: (server, caller, { params }) => server.view(member(server, caller, params['id'])),
  getIncidentRoom: (server, _caller, { params }) => server.view(server.incidentRoom(params['id'] ?? '')),
  addStatement: async (server, caller, { params, body }) => {
    attached(server, caller);
    const room = member(server, caller, params['id']);
    await server.state(room, body as MembershipStatement);
    return server.view(room);
  },
  listRoomEvents: (server, caller, { params, query }) => {
    const { events } = member(server, caller, params['id']);
    const before = query['before'] === undefined ? Infinity : Number(query['before']);
    const limit = Number(query['limit'] ?? 50);
    const older = events.filter((event) => event.seq < before);
    const page = structuredClone(older.slice(-limit).reverse());
    return { items: server.tamper.events?.(page) ?? page, more: older.length > limit };
  },
  readRoom: (server, caller, { params, body }) => {
    const room = member(server, caller, params['id']);
    const reads = room.reads.filter((read) => read.user_id !== caller.userId);
    room.reads = [...reads, { user_id: caller.userId, seq: Number(body['seq']) }];
  },
};

const keeping: Record<string, Handler> = {
  getSecrets: (server, caller) => found(server.secrets.get(caller.userId)),
  putSecrets: (server, caller, { body }) => {
    attached(server, caller);
    const version = server.secrets.get(caller.userId)?.version ?? 0;
    if (version !== body['version']) throw new Refused('conflict', 409);
    server.secrets.set(caller.userId, { box: String(body['box']), version: version + 1 });
    return { version: version + 1 };
  },
  getBackup: (server, caller) => {
    const { version, body } = found(server.backups.get(caller.userId));
    return { version, ...body, count: 0, etag: '0' };
  },
  createBackup: (server, caller, { body }) => {
    attached(server, caller);
    const version = server.nextVersion();
    server.backups.set(caller.userId, { version, body, rooms: {} });
    return { version };
  },
  putBackupKeys: (server, caller, { body }) => {
    const backup = found(server.backups.get(caller.userId));
    for (const [room, { sessions }] of Object.entries(body['rooms'] as Record<string, { sessions: Json }>))
      backup.rooms[room] = { ...backup.rooms[room], ...sessions };
    return { etag: '1', count: 1 };
  },
  getBackupKeys: (server, caller, { query }) => {
    const { rooms: whole } = found(server.backups.get(caller.userId));
    const all = Object.entries(whole)
      .filter(([room]) => room === (query['room_id'] ?? room))
      .flatMap(([room, sessions]) =>
        Object.entries(sessions).map(([id, session]) => ({ room, id, session })),
      );
    const from = Number(query['after'] ?? 0);
    const page = all.slice(from, from + server.backupPageMax);
    const rooms: Record<string, { sessions: Json }> = {};
    for (const { room, id, session } of page) (rooms[room] ??= { sessions: {} }).sessions[id] = session;
    return { rooms, ...(from + page.length < all.length && { next: String(from + page.length) }) };
  },
  putArchive: (server, caller, { body }) => {
    const archive = server.archives.get(caller.userId) ?? new Map<string, { seq: number; box: string }>();
    server.archives.set(caller.userId, archive);
    for (const { id, box } of body['items'] as { id: string; box: string }[]) {
      const seq = 1 + Math.max(0, ...[...archive.values()].map((one) => one.seq));
      archive.set(id, { seq, box });
    }
    return { upto: archive.size };
  },
  getArchive: (server, caller, { query }) => {
    const after = Number(query['after'] ?? 0);
    const items = [...(server.archives.get(caller.userId) ?? new Map<string, { seq: number; box: string }>())]
      .map(([id, one]) => ({ id, ...one }))
      .filter((one) => one.seq > after)
      .sort((a, b) => a.seq - b.seq);
    const limit = Number(query['limit'] ?? 200);
    return { items: items.slice(0, limit), more: items.length > limit };
  },
  getTurn: () => ({ uris: [], username: '', credential: '', expires_at: '2026-11-28T13:00:00Z' }),
};

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Refused('not_found', 404);
  return value;
}

const handlers: Record<string, Handler> = { ...devices, ...messages, ...rooms, ...keeping };

/** @throws Refused; Error for a route that is not here */
export async function callRoute(
  server: MemoryServer,
  caller: Caller,
  route: string,
  args: Args,
): Promise<unknown> {
  const handler = handlers[route];
  if (!handler) throw new Error(`The server in memory has no ${route}`);
  const whole = {
    params: args.params ?? {},
    query: args.query ?? {},
    body: structuredClone(args.body ?? {}) as Json,
  };
  return structuredClone(await handler(server, caller, whole));
}
