/**
 * The calls of talk as data: which may be asked again when the tab that leads is gone before it answered, and how long an answer is
 * waited for. What must stay true: whatever is repeated changes nothing the second time.
 */
import type { TalkApi } from '@siphera/talk';
import { toRaw } from 'vue';

export type TalkMethod = Exclude<keyof TalkApi, 'subscribe'>;
type Rule = {
  /** A second time changes nothing: it is asked again of the next tab that leads. Else it fails, and the person looks. */
  repeat: boolean;
  msMax: number;
};

/** The engine answers from its store or gives up on the box by itself; a minute without an answer is a tab that hangs. */
const callMsMax = 60_000;
/** 25 MB, the largest file, over a slow phone link. */
const fileMsMax = 300_000;
const again: Rule = { repeat: true, msMax: callMsMax };
const once: Rule = { repeat: false, msMax: callMsMax };
/** Keys are made, backups read: a large account on a slow phone takes its time. */
const long: Rule = { repeat: false, msMax: fileMsMax };

export const talkMethods: Record<TalkMethod, Rule> = {
  state: again,
  begin: long,
  confirmRecovery: again,
  recover: { repeat: true, msMax: fileMsMax },
  resetIdentity: long,
  newRecoverySecret: long,
  conversations: again,
  messages: again,
  search: again,
  // The message has its id from the tab that asks.
  send: { repeat: true, msMax: fileMsMax },
  edit: again,
  remove: again,
  acknowledge: again,
  retry: again,
  markRead: again,
  file: { repeat: true, msMax: fileMsMax },
  createGroup: once,
  renameGroup: again,
  addMembers: again,
  removeMember: again,
  leave: again,
  joinIncident: again,
  transcript: again,
  devices: again,
  removing: again,
  acceptKeys: again,
  verify: once,
  verification: again,
  // A verification lives in the memory of the engine that began it.
  verificationAct: once,
  // Calls know their messages by call and kind, and a lost hang-up is worse than one that comes twice.
  sendCall: again,
  recordCall: again,
  turn: again,
  close: once,
  wipe: { repeat: true, msMax: callMsMax },
};

/** `TalkApi` whose every call is one of `ask`. */
export function talkApiOver(
  ask: (method: TalkMethod, args: unknown[]) => Promise<unknown>,
  subscribe: TalkApi['subscribe'],
): TalkApi {
  const calls = Object.keys(talkMethods).map((name) => {
    const method = name as TalkMethod;
    return [method, (...args: unknown[]) => ask(method, args)] as const;
  });
  return { ...(Object.fromEntries(calls) as unknown as Omit<TalkApi, 'subscribe'>), subscribe };
}

/** What pages give is often reactive, and a proxy cannot be sent to another tab: plain objects and lists all through. */
export function cloneable(value: unknown): unknown {
  const raw: unknown = toRaw(value);
  if (Array.isArray(raw)) return raw.map(cloneable);
  if (typeof raw !== 'object' || raw === null || Object.getPrototypeOf(raw) !== Object.prototype) return raw;
  return Object.fromEntries(Object.entries(raw).map(([name, field]) => [name, cloneable(field)]));
}
