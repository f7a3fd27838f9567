/**
 * The library's machine, as the engine uses it: one call at a time, its requests sent and answered, its answers as plain values.
 * What must stay true: nothing of the network is waited for while a call of the machine runs, and only one claim of keys is
 * under way at a time (two would make two sessions with one device).
 */
import {
  CollectStrategy,
  DecryptionSettings,
  DeviceId,
  DeviceLists,
  EncryptionSettings,
  HistoryVisibility,
  OlmMachine,
  RequestType,
  RoomId,
  TrustRequirement,
  UserId,
  type DecryptedToDeviceEvent,
  type Device,
  type UTDToDeviceEvent,
} from '@matrix-org/matrix-sdk-crypto-wasm';
import { z } from 'zod';
import type { TalkPlace } from '../ports.ts';
import { failureOf, wordsOf } from './failures.ts';
import { Serial } from './serial.ts';

/** Rounds of requests that follow from one another; keys, then a claim, then what it was claimed for. More is a loop. */
const roundsMax = 8;
/** A room's key is made anew after so many messages or so long, or when somebody leaves. */
const rotation = { messages: 100n, microseconds: 7n * 24n * 3_600n * 1_000_000n };

export type DeviceFacts = {
  deviceId: string;
  name: string | undefined;
  /** Ed25519, unpadded base64. */
  signingKey: string | undefined;
  signedByOwner: boolean;
  verified: boolean;
};
export type Received =
  | { is: 'decrypted'; type: string; sender: string; device: string | undefined; content: unknown }
  | { is: 'plain'; type: string; content: unknown }
  | { is: 'undecryptable' };
/** What a request for single devices has besides. */
type Addressed = { event_type: string; txn_id: string };
export type Request = { id?: string | undefined; type: RequestType; body: string };

const RawEvent = z.looseObject({ type: z.string(), content: z.unknown() });
const Queried = z.looseObject({ upto: z.int() });
const Published = z.looseObject({ master_keys: z.record(z.string(), z.unknown()) });

export class Machine {
  readonly olm: OlmMachine;
  readonly me: string;
  readonly deviceId: string;
  readonly #place: TalkPlace;
  readonly #calls = new Serial();
  readonly #requests = new Serial();
  /** Of keys alone: they wait for no other request, and nothing that comes in waits for more than them. */
  readonly #queries = new Serial();
  readonly #tracked = new Set<string>();
  /** Up to which position of the device lists everything is known. */
  #knownUpto = 0;
  /** What `changed` of a batch said, that has not been asked for yet. */
  #heardUpto = 0;

  constructor(olm: OlmMachine, place: TalkPlace) {
    this.olm = olm;
    this.me = olm.userId.toString();
    this.deviceId = olm.deviceId.toString();
    this.#place = place;
  }

  /** One call of the library. Must not wait for the network. */
  call<T>(work: (olm: OlmMachine) => Promise<T>): Promise<T> {
    return this.#calls.run(() => work(this.olm));
  }

  get knownUpto(): number {
    return this.#knownUpto;
  }

  /** What came in, in the order given: one answer for each. */
  async receive(
    events: readonly unknown[],
    lists: { changed: readonly string[]; upto: number },
    counts: Record<string, number>,
    fallbacks: readonly string[],
  ): Promise<Received[]> {
    const processed = await this.call((olm) =>
      olm.receiveSyncChanges(
        JSON.stringify(events),
        new DeviceLists(lists.changed.map((id) => new UserId(id))),
        new Map(Object.entries(counts)),
        new Set(fallbacks),
        new DecryptionSettings(TrustRequirement.Untrusted),
      ),
    );
    this.#heardUpto = Math.max(this.#heardUpto, lists.upto);
    return processed.map((event) => readProcessed(event as DecryptedToDeviceEvent | UTDToDeviceEvent));
  }

  /**
   * Sends what the library wants sent, until it wants nothing more.
   * @throws what the port throws, of the first that failed, once all others were tried; what was sent stays sent.
   */
  drain(): Promise<void> {
    return this.#requests.run(async () => {
      for (let round = 0; round < roundsMax; round += 1) {
        await this.freshen();
        const claim = await this.call((olm) => olm.getMissingSessions([]));
        const requests = await this.#outgoing((type) => type !== RequestType.KeysQuery);
        if (claim) requests.push(claim);
        if (requests.length === 0 || !(await this.#answerAll(requests))) break;
      }
    });
  }

  /**
   * Asks for the keys that are not known as they are now, and for nothing else. @throws what the port throws
   */
  freshen(): Promise<void> {
    return this.#queries.run(async () => {
      const upto = this.#heardUpto;
      const requests = await this.#outgoing((type) => type === RequestType.KeysQuery);
      // Only what the server has answered is known.
      if (await this.#answerAll(requests)) this.#knownUpto = Math.max(this.#knownUpto, upto);
    });
  }

  async #outgoing(wanted: (type: RequestType) => boolean): Promise<Request[]> {
    const requests: Request[] = await this.call((olm) => olm.outgoingRequests());
    return requests.filter((one) => wanted(one.type));
  }

  /** One that fails holds up no other. Answers whether all were taken. @throws what the port throws: to be tried again */
  async #answerAll(requests: readonly Request[]): Promise<boolean> {
    let all = true;
    const later: unknown[] = [];
    for (const request of requests) {
      try {
        await this.#answer(request);
      } catch (error) {
        all = false;
        if (failureOf(error) === 'later') later.push(error);
        else
          this.#place.log('warn', 'talk_request_refused', {
            request: RequestType[request.type],
            error: wordsOf(error),
          });
      }
    }
    if (later.length > 0) throw later[0];
    return all;
  }

  /** Sends one request and tells the library what came of it. */
  send(request: Request): Promise<void> {
    return this.#requests.run(async () => {
      await this.#answer(request);
    });
  }

  /** Several requests that belong together, with none of the others in between. */
  together<T>(work: (answer: (request: Request) => Promise<unknown>) => Promise<T>): Promise<T> {
    return this.#requests.run(() => this.#queries.run(() => work((request) => this.#answer(request))));
  }

  async #answer(request: Request): Promise<unknown> {
    const response = await this.#post(request);
    const { id } = request;
    if (id !== undefined)
      await this.call((olm) => olm.markRequestAsSent(id, request.type, JSON.stringify(response)));
    return response;
  }

  #post(request: Request): Promise<unknown> {
    const { rest } = this.#place;
    const body = JSON.parse(request.body) as Record<string, unknown>;
    switch (request.type) {
      case RequestType.KeysUpload:
        return rest.call('uploadKeys', { body: { device_id: this.deviceId, ...body } });
      case RequestType.KeysQuery:
        return rest.call('queryKeys', { body });
      case RequestType.KeysClaim:
        return rest.call('claimKeys', { body });
      case RequestType.SignatureUpload:
        return rest.call('uploadSignatures', { body });
      case RequestType.ToDevice: {
        const { event_type: type, txn_id: txn } = request as Request & Addressed;
        return rest.call('sendToDevice', { params: { type, txn }, body: { messages: body['messages'] } });
      }
      case RequestType.KeysBackup: {
        const { version } = request as Request & { version: string };
        return rest.call('putBackupKeys', { params: { version }, body: { rooms: body['rooms'] } });
      }
      case RequestType.RoomMessage:
        // Verification goes from device to device here, never by a room.
        return Promise.reject(new Error('The library wanted a room message sent'));
    }
  }

  /** Asks for keys of these people for the first time, and from now on whenever they change. */
  async track(users: readonly string[]): Promise<void> {
    const fresh = users.filter((id) => !this.#tracked.has(id));
    if (fresh.length === 0) return;
    await this.call((olm) => olm.updateTrackedUsers(fresh.map((id) => new UserId(id))));
    await this.freshen();
    for (const id of fresh) this.#tracked.add(id);
  }

  /** Asks now, whatever is known. Answers the position of the device lists of that reading. */
  query(users: readonly string[]): Promise<number> {
    return this.#queries.run(async () => {
      const request = await this.call(async (olm) =>
        olm.queryKeysForUsers(users.map((id) => new UserId(id))),
      );
      return Queried.parse(await this.#answer(request)).upto;
    });
  }

  /** Asks the server whether this person has published an identity, whatever this device has made or knows. */
  isPublished(user: string): Promise<boolean> {
    return this.#queries.run(async () => {
      const request = await this.call(async (olm) => olm.queryKeysForUsers([new UserId(user)]));
      return Published.parse(await this.#answer(request)).master_keys[user] !== undefined;
    });
  }

  /** Makes sessions with those devices of them that have none. */
  claim(users: readonly string[]): Promise<void> {
    return this.#requests.run(async () => {
      const request = await this.call((olm) => olm.getMissingSessions(users.map((id) => new UserId(id))));
      if (request) await this.#answer(request);
    });
  }

  async devicesOf(user: string): Promise<DeviceFacts[]> {
    return this.call(async (olm) => {
      const all = await olm.getUserDevices(new UserId(user));
      return all
        .devices()
        .filter((device) => !device.isDeleted())
        .map(factsOf);
    });
  }

  async deviceOf(user: string, deviceId: string): Promise<DeviceFacts | undefined> {
    return this.call(async (olm) => {
      const device = await olm.getDevice(new UserId(user), new DeviceId(deviceId));
      return device && !device.isDeleted() ? factsOf(device) : undefined;
    });
  }

  /** A ciphertext for one device; `undefined` when there is no session with it and none could be made. */
  async encryptFor(user: string, deviceId: string, content: unknown): Promise<unknown> {
    return this.call(async (olm) => {
      const device = await olm.getDevice(new UserId(user), new DeviceId(deviceId));
      if (!device) return undefined;
      try {
        return JSON.parse(await device.encryptToDeviceEvent('siphera.message', content)) as unknown;
      } catch (error) {
        this.#place.log('warn', 'talk_no_session', { device: deviceId, error: String(error) });
        return undefined;
      }
    });
  }

  /** Gives the key of a room to those devices of these people that their owners have signed, and to no other. */
  shareKey(roomId: string, users: readonly string[]): Promise<void> {
    return this.#requests.run(async () => {
      const requests = await this.call((olm) =>
        olm.shareRoomKey(
          new RoomId(roomId),
          users.map((id) => new UserId(id)),
          roomSettings(),
        ),
      );
      for (const request of requests) await this.#answer(request);
    });
  }

  async encryptForRoom(roomId: string, content: unknown): Promise<unknown> {
    const text = await this.call((olm) =>
      olm.encryptRoomEvent(new RoomId(roomId), 'siphera.message', JSON.stringify(content)),
    );
    return JSON.parse(text) as unknown;
  }

  /** Ed25519 of this device over a text, unpadded base64. */
  async sign(text: string): Promise<string> {
    const signatures = JSON.parse((await this.call((olm) => olm.sign(text))).asJSON()) as Record<
      string,
      Record<string, string>
    >;
    const mine = signatures[this.me]?.[`ed25519:${this.deviceId}`];
    if (mine === undefined) throw new Error('The library did not sign with the device key');
    return mine;
  }

  get signingKey(): string {
    return this.olm.identityKeys.ed25519.toBase64();
  }
}

/** By whose owner it is signed, and nobody else: an unsigned device gets nothing. */
export const signedOnly = (): CollectStrategy => CollectStrategy.identityBasedStrategy();

function roomSettings(): EncryptionSettings {
  const settings = new EncryptionSettings();
  settings.sharingStrategy = signedOnly();
  // Marks the keys as ones that may be passed on to who comes later.
  settings.historyVisibility = HistoryVisibility.Shared;
  settings.rotationPeriodMessages = rotation.messages;
  settings.rotationPeriod = rotation.microseconds;
  return settings;
}

function factsOf(device: Device): DeviceFacts {
  return {
    deviceId: device.deviceId.toString(),
    name: device.displayName,
    signingKey: device.ed25519Key?.toBase64(),
    signedByOwner: device.isCrossSignedByOwner(),
    verified: device.isVerified(),
  };
}

function readProcessed(event: DecryptedToDeviceEvent | UTDToDeviceEvent): Received {
  const raw = RawEvent.safeParse(JSON.parse(event.rawEvent));
  if (!raw.success) return { is: 'undecryptable' };
  const { type, content } = raw.data;
  if ('encryptionInfo' in event) {
    const info = event.encryptionInfo;
    return {
      is: 'decrypted',
      type,
      content,
      sender: info.sender.toString(),
      device: info.senderDevice?.toString(),
    };
  }
  return type === 'm.room.encrypted' ? { is: 'undecryptable' } : { is: 'plain', type, content };
}

/** Makes or opens the machine of a device. @param store of its own tables; absent: in memory */
export async function openOlm(
  user: string,
  deviceId: string,
  store?: { name: string; passphrase: string },
): Promise<OlmMachine> {
  return OlmMachine.initialize(new UserId(user), new DeviceId(deviceId), store?.name, store?.passphrase);
}
