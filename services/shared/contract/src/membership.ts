/**
 * Who is in a room, as signed statements say it: one implementation for devices, which believe nothing else, and for the
 * server, which delivers by it. Pure: hashing and signatures are of each side's own cryptography.
 *
 * A statement is signed over `statementText`; the `prev` of the next one is the SHA-256 (hex) of that same text.
 */
import { talkLimits, type MembershipStatement, type TalkRoom } from './rest/talk.ts';

export type UnsignedStatement = Omit<MembershipStatement, 'signature'>;

/** A room after the statements that were read so far. */
export type RoomChain = {
  roomId: string;
  kind: TalkRoom['kind'];
  /** How many statements there are: `n` of the next. */
  n: number;
  /** SHA-256 (hex) of the text of the last one; empty before the first. */
  head: string;
  members: readonly string[];
};

export type MembershipRefusal =
  /** `n` or `prev` is not that of the next: somebody was first, or it is replayed. */
  | 'out_of_order'
  | 'other_room'
  /** The first makes the room: `create`, or `join` in one of an incident; later ones never are `create`. */
  | 'not_first'
  | 'not_member'
  /** `join` is for rooms of incidents alone, `remove` for groups alone: who sees an incident may always come back. */
  | 'not_in_this_kind'
  /** Nobody is named, somebody twice, or another where only oneself can be. */
  | 'bad_names'
  | 'already_member'
  | 'too_many';

export type StatementApplied =
  | { ok: true; chain: RoomChain; added: readonly string[]; removed: readonly string[] }
  | { ok: false; reason: MembershipRefusal };

/** A room before its first statement. */
export const emptyChain = (roomId: string, kind: TalkRoom['kind']): RoomChain => ({
  roomId,
  kind,
  n: 0,
  head: '',
  members: [],
});

/**
 * The next statement of a room, to be signed over its `statementText`.
 * @param what.userIds whom `create`, `add` and `remove` name besides oneself; nobody for `join` and `leave`.
 * @param what.at RFC 3339, of this device's clock.
 */
export const nextStatement = (
  chain: RoomChain,
  what: {
    action: MembershipStatement['action'];
    userIds?: readonly string[];
    byUser: string;
    byDevice: string;
    at: string;
  },
): UnsignedStatement => ({
  room_id: chain.roomId,
  n: chain.n,
  prev: chain.head,
  action: what.action,
  user_ids: [...(what.userIds ?? [])],
  by_user: what.byUser,
  by_device: what.byDevice,
  at: what.at,
});

/** What a statement is signed over, and hashed as: the canonical JSON of it without its signature. */
export const statementText = (statement: UnsignedStatement): string =>
  canonicalJson({
    room_id: statement.room_id,
    n: statement.n,
    prev: statement.prev,
    action: statement.action,
    user_ids: statement.user_ids,
    by_user: statement.by_user,
    by_device: statement.by_device,
    at: statement.at,
  });

/**
 * The room after one more statement, whose signature has been checked.
 * @param hash SHA-256 (hex) of the statement's `statementText`.
 */
export function applyStatement(
  chain: RoomChain,
  statement: UnsignedStatement,
  hash: string,
): StatementApplied {
  const refused = refusal(chain, statement);
  if (refused !== undefined) return { ok: false, reason: refused };
  const { added, removed } = changeOf(statement);
  const members = [...chain.members.filter((id) => !removed.includes(id)), ...added];
  if (members.length > talkLimits.roomMembersMax) return { ok: false, reason: 'too_many' };
  return { ok: true, chain: { ...chain, n: chain.n + 1, head: hash, members }, added, removed };
}

function refusal(chain: RoomChain, statement: UnsignedStatement): MembershipRefusal | undefined {
  const { action, by_user: by, user_ids: ids } = statement;
  if (statement.room_id !== chain.roomId) return 'other_room';
  if (statement.n !== chain.n || statement.prev !== chain.head) return 'out_of_order';
  const begins = action === 'create' || (action === 'join' && chain.kind === 'incident');
  if (chain.n === 0 ? !begins : action === 'create') return 'not_first';
  if (new Set(ids).size !== ids.length) return 'bad_names';
  const isMember = chain.members.includes(by);
  switch (action) {
    case 'create':
      return undefined;
    case 'join':
      if (chain.kind !== 'incident') return 'not_in_this_kind';
      if (isMember) return 'already_member';
      return ids.every((id) => id === by) ? undefined : 'bad_names';
    case 'leave':
      if (!isMember) return 'not_member';
      return ids.every((id) => id === by) ? undefined : 'bad_names';
    case 'add':
      if (!isMember) return 'not_member';
      if (ids.length === 0) return 'bad_names';
      return ids.some((id) => chain.members.includes(id)) ? 'already_member' : undefined;
    case 'remove':
      if (!isMember) return 'not_member';
      if (chain.kind !== 'group') return 'not_in_this_kind';
      return ids.length > 0 && ids.every((id) => id !== by && chain.members.includes(id))
        ? undefined
        : 'bad_names';
  }
}

function changeOf({ action, by_user: by, user_ids: ids }: UnsignedStatement): {
  added: readonly string[];
  removed: readonly string[];
} {
  switch (action) {
    case 'create':
      return { added: [...new Set([by, ...ids])], removed: [] };
    case 'join':
      return { added: [by], removed: [] };
    case 'leave':
      return { added: [], removed: [by] };
    case 'add':
      return { added: ids, removed: [] };
    case 'remove':
      return { added: [], removed: ids };
  }
}

/**
 * Canonical JSON (RFC 8785): members sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 * @throws TypeError for what JSON cannot say: undefined, NaN, infinities, lone surrogates, anything but plain objects.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('A number of canonical JSON is finite.');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (/\p{Surrogate}/u.test(value)) throw new TypeError('A text of canonical JSON has no lone surrogate.');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || !isPlain(value)) throw new TypeError(`${typeof value} is not JSON.`);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${canonicalJson(key)}:${canonicalJson(item)}`).join(',')}}`;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
