/**
 * What the console sees of talk. It is implemented by the engine in the tab that leads, and by a proxy to it in the others, so
 * everything here can be cloned (structured clone) and every call answers later.
 */
import type { CallContent, ConversationId, FileContent, TalkContent, TextContent } from './content.ts';
import type { z } from 'zod';

export type TalkState =
  /** No device yet on this browser: `begin`. */
  | { is: 'absent' }
  | { is: 'opening' }
  /** There is an identity already: `recover` by secret, or verify from another device, or `reset`. */
  | {
      is: 'needs_recovery';
      /** The identity is not the one that this device knew for its own: replaced on another device, or by somebody else. */
      changed?: boolean;
    }
  /** First device of this person: the recovery secret has to be shown and confirmed. */
  | {
      is: 'ready';
      deviceId: string;
      userId: string;
      kind: 'personal' | 'shared';
      recoveryConfirmed: boolean;
      verified: boolean;
    }
  /** Removed from elsewhere, and wiped. */
  | { is: 'removed' }
  | { is: 'failed'; reason: string };

export type Trust =
  /** Seen for the first time and remembered; nobody compared. */
  | 'known'
  /** Compared by QR or numbers. */
  | 'verified'
  /** Keys are not those that were known or verified: nothing is sent until the person has looked. */
  | 'changed'
  /** Has no identity yet. */
  | 'none';

export type Conversation = {
  id: ConversationId;
  kind: 'direct' | 'group' | 'incident';
  /** Of a group; of others the console knows the name. */
  name: string | null;
  incidentId: string | null;
  /** User ids, without me, as the statements say. */
  memberIds: string[];
  amMember: boolean;
  lastMessage: Message | null;
  lastAt: number;
  unread: number;
  /** Of messages to me that must be acknowledged and are not. */
  toAck: number;
  /** What must be looked at before more is written. */
  warnings: Warning[];
};

export type Warning =
  | { kind: 'keys_changed'; userId: string; wasVerified: boolean }
  | { kind: 'device_unsigned'; userId: string; deviceId: string }
  /** The server delivers to somebody whom no member has let in, or not to one that they did. */
  | { kind: 'membership_forged'; userIds: string[] }
  /** A device of mine is not told of by the server, or a sender was not. */
  | { kind: 'device_hidden'; userId: string; deviceIds: string[] }
  /** Messages of a device are missing or came out of order. */
  | { kind: 'gap'; userId: string; deviceId: string; missing: number };

export type Delivery =
  /** In the queue of this device. */
  | 'waiting'
  /** The server has it. */
  | 'sent'
  | 'delivered'
  | 'read'
  /** Given up, with the reason in words; `retry` tries anew. */
  | { failed: string };

export type Message = {
  id: string;
  conversation: ConversationId;
  senderId: string;
  senderDevice: string;
  mine: boolean;
  /** What orders it: of the server for what has arrived, of this device for what waits. Milliseconds. */
  at: number;
  sentAt: number;
  content:
    | z.infer<typeof TextContent>
    | z.infer<typeof FileContent>
    | { t: 'deleted' }
    /** Will come: its key or a retry is asked for. */
    | { t: 'undecryptable'; reason: string }
    | { t: 'newer_version' }
    /** What happened in a room: who came, went, renamed it; a call; a device. */
    | {
        t: 'event';
        what: 'created' | 'added' | 'removed' | 'joined' | 'left' | 'named' | 'call';
        userIds: string[];
        text: string;
        call?: CallRecord;
      };
  editedAt: number | null;
  delivery: Delivery;
  /** Who has acknowledged, and when. */
  acks: { userId: string; at: number }[];
  /** Read by whom, in rooms. */
  readBy: string[];
  trust: Trust;
  /** Signed by a device that its owner has not signed. */
  senderUnsigned: boolean;
  /** Opened by a key out of a backup or a bundle, not from its writer's device: who wrote it is the server's and the giver's word. */
  unproven?: boolean;
};

export type CallRecord = {
  callId: string;
  media: 'voice' | 'video';
  direction: 'in' | 'out';
  outcome: 'answered' | 'missed' | 'declined' | 'failed';
  durationMs: number;
  startedAt: number;
  incidentId: string | null;
};

export type Draft = {
  /** Id of the message. Made by who asks, so that asking again after an answer was lost sends nothing twice; else the engine makes one. */
  id?: string;
  body: string;
  replyTo?: string;
  mentions?: string[];
  links?: { kind: 'incident' | 'camera'; id: string; label: string }[];
  mustAck?: boolean;
  /** Read by the engine at once; encrypted before anything leaves. */
  file?: {
    blob: Blob;
    name: string;
    voice?: { durationMs: number; wave: number[] };
    thumbnail?: { blob: Blob; width: number; height: number };
  };
};

export type DeviceView = {
  userId: string;
  deviceId: string;
  name: string;
  signedByOwner: boolean;
  verified: boolean;
  current: boolean;
  fingerprint: string;
};

/** A verification that is under way, by QR or seven emoji (Matrix §11.12.2). */
export type Verification = {
  flowId: string;
  userId: string;
  deviceId: string | null;
  incoming: boolean;
  phase: 'requested' | 'ready' | 'show_qr' | 'compare_emoji' | 'confirm' | 'done' | 'cancelled';
  /** Bytes of the QR code to show. */
  qr: Uint8Array | null;
  emoji: { symbol: string; word: string }[] | null;
  reason: string | null;
};

/** What changed; readers ask for what they show. */
export type TalkChange =
  | { what: 'state' }
  | { what: 'conversations' }
  | { what: 'messages'; conversation: ConversationId; ids: string[] }
  | { what: 'devices'; userId: string }
  | { what: 'verification'; flowId: string }
  | { what: 'connection'; online: boolean; waiting: number }
  /** From a device of somebody, decrypted and checked: for the call engine. */
  | {
      what: 'call';
      userId: string;
      deviceId: string;
      content: CallContent;
      sentAt: number;
      receivedAt: number;
    }
  | { what: 'new_own_device'; deviceId: string; name: string; address: string };

export interface TalkApi {
  state(): Promise<TalkState>;
  subscribe(hear: (change: TalkChange) => void): () => void;

  /** Makes this browser a device. Answers the recovery secret when it was the first of this person, to be shown once. */
  begin(options: { name: string; kind: 'personal' | 'shared' }): Promise<{ recoverySecret: string | null }>;
  confirmRecovery(): Promise<void>;
  /** @throws TalkError `wrong_secret` */
  recover(secret: string): Promise<void>;
  /** A new identity, when the secret is lost and no device is left: old 1:1 history is lost, and everybody is warned. */
  resetIdentity(password: string): Promise<{ recoverySecret: string }>;
  /** A new secret; the one before opens nothing any more. */
  newRecoverySecret(): Promise<string>;

  conversations(): Promise<Conversation[]>;
  /** Oldest first. `before`: a message id; older ones are fetched from the server where this device has them not. */
  messages(
    conversation: ConversationId,
    options?: { before?: string; limit?: number },
  ): Promise<{ items: Message[]; more: boolean }>;
  search(text: string): Promise<Message[]>;
  /** Answers the id. With an id that was sent before it changes nothing and answers the same. */
  send(conversation: ConversationId, draft: Draft): Promise<string>;
  edit(messageId: string, body: string, mentions?: string[]): Promise<void>;
  remove(messageId: string): Promise<void>;
  acknowledge(messageId: string): Promise<void>;
  retry(messageId: string): Promise<void>;
  markRead(conversation: ConversationId): Promise<void>;
  /** Decrypted; checks its hash first. */
  file(messageId: string, part: 'file' | 'thumbnail'): Promise<Blob>;

  createGroup(options: { name: string; memberIds: string[] }): Promise<ConversationId>;
  renameGroup(conversation: ConversationId, name: string): Promise<void>;
  addMembers(conversation: ConversationId, userIds: string[]): Promise<void>;
  removeMember(conversation: ConversationId, userId: string): Promise<void>;
  leave(conversation: ConversationId): Promise<void>;
  /** Opens the room of an incident and joins it. */
  joinIncident(incidentId: string): Promise<ConversationId>;
  /** An incident's room as `TranscriptDocument`, read back to its opening where the box can be reached, signed by this device, as
   *  `fileTranscript` takes it. */
  transcript(
    conversation: ConversationId,
  ): Promise<{ document: string; device_id: string; device_key: string; signature: string }>;

  /** `identityKey`: as it stands now, for `acceptKeys` (absent from an engine of before). */
  devices(userId: string): Promise<{ trust: Trust; identityKey?: string | null; devices: DeviceView[] }>;
  /** Before a device of mine is removed by its route: that it is gone then is no warning (`device_hidden`). */
  removing?(deviceId: string): Promise<void>;
  /**
   * "I have looked: these keys are hers." Ends a `keys_changed`, and what was said of hidden devices. One's own are recovered, not accepted.
   * @param identityKey that was shown
   * @throws TalkError `keys_changed` when the keys are others by now
   */
  acceptKeys(userId: string, identityKey?: string): Promise<void>;
  verify(userId: string, deviceId?: string): Promise<string>;
  verification(flowId: string): Promise<Verification | null>;
  verificationAct(
    flowId: string,
    act: 'accept' | 'start_emoji' | 'confirm' | 'cancel' | { scanned: Uint8Array },
  ): Promise<void>;

  /** To one device of somebody, or all; encrypted, ordered. `wake`: ring up devices that are not there. */
  sendCall(
    userId: string,
    deviceId: string | null,
    content: CallContent,
    options?: { wake?: boolean },
  ): Promise<void>;
  /** Into the history of the conversation with that person. */
  recordCall(userId: string, record: CallRecord): Promise<void>;
  turn(): Promise<RTCIceServer[]>;

  /** Forgets the keys in memory; the store stays for the next `open` (change of guard). */
  close(): Promise<void>;
  /** Signs this device off for good and wipes its store. */
  wipe(): Promise<void>;
}

export type TalkErrorCode =
  | 'not_ready'
  | 'offline'
  | 'wrong_secret'
  | 'keys_changed'
  | 'not_member'
  | 'no_device'
  | 'too_large'
  | 'quota'
  | 'refused';
export class TalkError extends Error {
  readonly code: TalkErrorCode;

  constructor(code: TalkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TalkError';
    this.code = code;
  }
}

/** Kinds of content that the console may be given. */
export type ShownContent = Exclude<TalkContent, CallContent>;
