/** Statements, groups and messages as devices make them, for tests of rooms and of what is kept for them. */
import { createHash } from 'node:crypto';
import {
  applyStatement,
  emptyChain,
  nextStatement,
  statementText,
  TalkRoom,
  TalkRoomEvent,
  type MembershipStatement,
  type RoomChain,
} from '@siphera/contract';
import { systemClock, systemRandom, type Clock } from '@siphera/runtime';
import { z } from 'zod';
import type { SweptPart } from '../adapters/keep/sweeper.ts';
import type { Ground, Part } from '../ground.ts';
import { createParts } from '../part-list.ts';
import { okOf, type RestAnswer, type TestDevice, type TestUser } from './talk-rig.ts';

type Action = MembershipStatement['action'];

export const uuid = (): string => systemRandom.uuid();

/** The next statement of a room, signed by that device. */
export function sign(
  device: TestDevice,
  chain: RoomChain,
  action: Action,
  users: readonly { id: string }[] = [],
): MembershipStatement {
  const statement = nextStatement(chain, {
    action,
    userIds: users.map(({ id }) => id),
    byUser: device.user.id,
    byDevice: device.id,
    at: '2026-11-28T12:00:00.000Z',
  });
  return { ...statement, signature: device.pair.sign(statementText(statement)) };
}

/** A statement that was changed is signed anew: it is then well signed and says what it should not. */
export const resign = (
  device: TestDevice,
  statement: MembershipStatement,
  change: Partial<MembershipStatement>,
): MembershipStatement => {
  const changed = { ...statement, ...change };
  return { ...changed, signature: device.pair.sign(statementText(changed)) };
};

/** The room as a client reads it: by its statements. @throws Error when one does not follow the rules. */
export function chainOf(room: TalkRoom): RoomChain {
  let chain = emptyChain(room.id, room.kind);
  for (const statement of room.statements) {
    const hash = createHash('sha256').update(statementText(statement)).digest('hex');
    const applied = applyStatement(chain, statement, hash);
    if (!applied.ok) throw new Error(`Statement ${statement.n}: ${applied.reason}`);
    chain = applied.chain;
  }
  return chain;
}

export const roomOf = (answer: RestAnswer): TalkRoom => TalkRoom.parse(okOf(answer));

/** A group made by that device, with these besides. */
export async function makeGroup(device: TestDevice, others: readonly TestUser[]): Promise<TalkRoom> {
  const id = uuid();
  const statement = sign(device, emptyChain(id, 'group'), 'create', others);
  return roomOf(await device.user.call('createRoom', { body: { id, statement } }));
}

export const say = (
  device: TestDevice,
  room: TalkRoom,
  action: Action,
  users: readonly { id: string }[] = [],
): Promise<RestAnswer> => state(device, room, sign(device, chainOf(room), action, users));

export const state = (
  { user }: TestDevice,
  room: Pick<TalkRoom, 'id'>,
  statement: MembershipStatement,
): Promise<RestAnswer> => user.call('addStatement', { params: { id: room.id }, body: statement });

/** Position of the device lists as this user reads them now. */
export async function devicesUpto(user: TestUser): Promise<number> {
  const answer = okOf(await user.call('queryKeys', { body: { device_keys: { [user.talkId]: [] } } }));
  return z.object({ upto: z.int() }).parse(answer).upto;
}

type Message = {
  event_id?: string;
  text?: string;
  devices_upto?: number;
  statements?: number;
  wake?: 'none' | 'message';
};

export async function send(device: TestDevice, room: TalkRoom, message: Message = {}): Promise<RestAnswer> {
  const { event_id = uuid(), text = 'ciphertext', statements = room.statements.length, wake } = message;
  const devices_upto = message.devices_upto ?? (await devicesUpto(device.user));
  return device.user.call('sendRoomEvent', {
    params: { id: room.id },
    body: {
      event_id,
      content: { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: text },
      devices_upto,
      statements,
      ...(wake === undefined ? {} : { wake }),
    },
  });
}

const Page = z.object({ items: z.array(TalkRoomEvent), more: z.boolean() });
export const eventsOf = async (
  user: TestUser,
  room: Pick<TalkRoom, 'id'>,
  query: Record<string, string> = {},
): Promise<z.infer<typeof Page>> =>
  Page.parse(okOf(await user.call('listRoomEvents', { params: { id: room.id }, query })));

/** Of a problem. */
export const codeOf = ({ body }: RestAnswer): unknown => (body as { code?: unknown } | undefined)?.code;

const hourMs = 3_600_000;

/** A box whose time a test moves, and whose parts it lets forget what is too old: pass `clock` and `parts` to the rig. */
export function makeTimeBox(): {
  clock: Clock;
  parts: (ground: Ground) => Part[];
  /** So many hours go by. */
  pass(hours: number): void;
  /** The wall clock alone goes wrong by so many hours. */
  jump(hours: number): void;
  sweep(): Promise<void>;
} {
  let [passedMs, wrongMs] = [0, 0];
  let made: readonly Part[] = [];
  return {
    clock: {
      now: () => systemClock.now() + passedMs + wrongMs,
      monotonic: () => systemClock.monotonic() + passedMs,
    },
    parts: (ground) => (made = createParts(ground)),
    pass: (hours) => void (passedMs += hours * hourMs),
    jump: (hours) => void (wrongMs += hours * hourMs),
    sweep: async () => {
      for (const part of made) if ('sweep' in part) await (part as SweptPart).sweep();
    },
  };
}
