/** What the engine keeps, as it lies in its tables, and the names and orders of the rows. */
import type { RoomChain } from '@siphera/contract';
import type { Message } from '../api.ts';
import type { ConversationId, Envelope, TalkContent } from '../content.ts';
import type { SequenceState } from '../side/index.ts';

/** `messages`: key is the id. */
export type StoredMessage = Message & {
  order: string;
  n: number;
  /** Of a room's event. */
  seq: number | null;
  mustAck: boolean;
  /** Whose words it has now. */
  edited?: Pick<Change, 'id' | 'device' | 'n' | 'at'>;
};

export type RoomRecord = {
  roomId: string;
  /** All that the server has, over what does not count too: who is a member, and where the next statement goes. */
  chain: RoomChain;
  /** Up to where everything counts: read from here the next time. Absent in what an older version wrote: `chain`. */
  firm?: RoomChain;
  /** Where the last statement that counts ends: a server that has a chain without it is not followed. */
  floor?: Pick<RoomChain, 'n' | 'head'>;
  /** As the server delivers. */
  delivered: string[];
  /** Everybody who ever was a member. */
  ever: string[];
  /** The chain could not be read to its end: to be read again. */
  stale: boolean;
  lastSeq: number;
  /** Which events have been here since the room was first read; absent before the first. */
  seen?: SequenceState;
  /** `lastSeq` that was asked for already, whatever there was. */
  checked?: number;
  reads: Record<string, number>;
  /** Oldest event that this device has asked for; null: none yet. */
  oldest: number | null;
  complete: boolean;
  /** Came later than the room: keys of before are asked for. */
  wantsHistory: boolean;
  /** How often keys of before were asked for, and when they are again. */
  asks?: { tries: number; nextAt: number };
};

/** `conversations`: key is the id as the console knows it. */
export type ConversationRecord = {
  id: ConversationId;
  kind: 'direct' | 'group' | 'incident';
  name: string | null;
  /** When it was given that name, and whether who gave it is not proved. */
  namedAt?: number;
  nameUnproven?: boolean;
  incidentId: string | null;
  lastId: string | null;
  lastAt: number;
  unread: { id: string; seq: number | null; from: string }[];
  toAck: string[];
  forged: string[];
  hidden: Record<string, string[]>;
  /** Missing messages by `<user>:<device>`. */
  gaps: Record<string, number>;
  room: RoomRecord | null;
};

/** `seen`, `sent:<id>`: what a device that could not read it may ask for again. */
export type SentRecord = {
  envelope: Envelope;
  /** Of a direct message. */
  to: string | null;
  /** Devices that it was meant for; of rooms: null, whoever is a member. */
  devices: Record<string, string[]> | null;
  tries: Record<string, number>;
};

/** `seen`, `ask:<id>`: what could not be read and is asked for. */
export type AskRecord = {
  id: string;
  sender: string;
  device: string;
  /** When the server first brought it: its place, whenever it is read. */
  at: number;
  tries: number;
  nextAt: number;
};

/** An edit, a deletion or an acknowledgement. `seen`, `pend:<target>`: those that came before what they change. */
export type Change = {
  id: string;
  content: TalkContent;
  senderId: string;
  device: string;
  /** Its writer's count; null for one of this device that has not left yet. */
  n: number | null;
  at: number;
  /** Who wrote it is the server's and a giver's word: it changes only what is no better. */
  unproven?: boolean;
};

export type OutFile = { key: string; bytes: number; encrypted: unknown };
type JobBase = { id: string; seq: number; failed?: string };
/** `outbox`: what has to leave, in order. */
export type Job = JobBase &
  (
    | {
        job: 'message';
        conv: ConversationId;
        content: TalkContent;
        at: number;
        /** Given when it is first encrypted, so that what is given up leaves no hole. */
        n: number | null;
        quiet: boolean;
        /** Sealed files that have to be uploaded first; their names go into the content then. */
        file?: OutFile;
        thumbnail?: OutFile;
      }
    /** To devices of one person, past the conversation's count. */
    | { job: 'olm'; to: string; devices: string[] | null; conv: string; content: TalkContent }
    | { job: 'again'; message: string; to: string; device: string }
    /** Not encrypted. `lane`: after what is sent to this person. */
    | { job: 'plain'; lane: string; type: string; messages: Record<string, Record<string, unknown>> }
    | { job: 'read'; room: string; upto: number }
  );

const digits = (value: number, count: number): string =>
  String(Math.max(0, Math.floor(value))).padStart(count, '0');

/** Above all that has arrived. */
const waitingAt = '9'.repeat(15);
export const arrivedOrder = (conv: ConversationId, at: number, place: number, id: string): string =>
  `${conv}|${digits(at, 15)}|${digits(place, 12)}|${id}`;
export const waitingOrder = (conv: ConversationId, seq: number, id: string): string =>
  `${conv}|${waitingAt}|${digits(seq, 12)}|${id}`;
/** Has its place: the server has said when it took it. A receipt may be here before that. */
export const isPlaced = (message: StoredMessage): boolean => !message.order.includes(`|${waitingAt}|`);
export const jobOrder = (seq: number): string => `q|${digits(seq, 12)}`;
/** From and to of all messages of a conversation. */
export const rangeOf = (conv: ConversationId): [string, string] => [`${conv}|`, `${conv}}`];

/** As it stands inside the encryption. */
export function wireConversation(conv: ConversationId, me: string): string {
  if (conv.startsWith('r:')) return conv;
  const [a, b] = [me, conv.slice(2)].sort();
  return `d:${a ?? ''}:${b ?? ''}`;
}

/** As this device names it; `undefined` for what is none of mine. */
export function localConversation(wire: string, me: string): ConversationId | undefined {
  if (wire.startsWith('r:')) return `r:${wire.slice(2)}`;
  const [kind, a, b, ...rest] = wire.split(':');
  if (kind !== 'd' || a === undefined || b === undefined || rest.length > 0 || a > b) return undefined;
  if (a === me) return `d:${b}`;
  return b === me ? `d:${a}` : undefined;
}

export const newConversation = (
  id: ConversationId,
  kind: ConversationRecord['kind'],
  room: RoomRecord | null,
  incidentId: string | null = null,
): ConversationRecord => ({
  id,
  kind,
  name: null,
  incidentId,
  lastId: null,
  lastAt: 0,
  unread: [],
  toAck: [],
  forged: [],
  hidden: {},
  gaps: {},
  room,
});
