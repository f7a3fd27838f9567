/**
 * The engine of secure talk: what the console asks for (`TalkApi`), over one device of one person. `open` once the place is there;
 * everything else then is as `api.ts` says. What must stay true: without a device that its owner signed, nothing is sent.
 */
import {
  TalkError,
  type CallRecord,
  type Conversation,
  type DeviceView,
  type Draft,
  type Message,
  type TalkApi,
  type TalkChange,
  type TalkState,
  type Trust,
  type Verification,
} from '../api.ts';
import type { CallContent, ConversationId } from '../content.ts';
import type { TalkPlace } from '../ports.ts';
import { archiveAll } from './archiving.ts';
import { changeRoom, createRoom, requireRoom, takeRoom } from './chain.ts';
import * as composing from './compose.ts';
import { makeDevice, openDevice, wipeDevice, type Kept, type Opened, type OpenMachine } from './device.ts';
import { callOut, turnServers } from './calling.ts';
import { asTalkError, failureOf, wordsOf } from './failures.ts';
import { expectRemoval, forgetHidden } from './hidden.ts';
import { acceptKeys, ownIdentity, viewDevices } from './identity.ts';
import {
  hasNoSecrets,
  makeArchiveKey,
  makeBackup,
  makeIdentity,
  putNewSecret,
  takeSecrets,
} from './recovery.ts';
import { Serial } from './serial.ts';
import { Session } from './session.ts';
import { readFile, search, transcriptOf, viewConversations, viewMessages } from './views.ts';

export type EngineOptions = { openMachine?: OpenMachine };

export class TalkEngine implements TalkApi {
  readonly #place: TalkPlace;
  readonly #options: EngineOptions;
  readonly #listeners = new Set<(change: TalkChange) => void>();
  readonly #lifecycle = new Serial();
  #state: TalkState = { is: 'opening' };
  #session: Session | undefined;
  #kept: Kept | undefined;

  constructor(place: TalkPlace, options: EngineOptions = {}) {
    this.#place = place;
    this.#options = options;
  }

  /** Opens the device of this browser, if there is one. Never throws: `state` says how it went. */
  open(): Promise<void> {
    return this.#lifecycle.run(async () => {
      if (this.#session) return;
      try {
        const kept = await this.#place.keep.find(this.#place.userId);
        if (kept) await this.#open(kept);
        else this.#become({ is: 'absent' });
      } catch (error) {
        this.#place.log('error', 'talk_open_failed', { error: wordsOf(error) });
        this.#become({ is: 'failed', reason: wordsOf(error) });
      }
    });
  }

  async #open(kept: Kept, made?: Opened): Promise<void> {
    this.#become({ is: 'opening' });
    const device = await openDevice(this.#place, kept, (change) => this.#emit(change), {
      ...(made && { opened: made }),
      ...(this.#options.openMachine && { openMachine: this.#options.openMachine }),
    });
    if (device.is === 'gone') {
      await wipeDevice(this.#place, kept.deviceId);
      this.#become({ is: 'removed' });
      return;
    }
    const { ground, opened } = device;
    const session = new Session(ground, {
      removed: () => void this.#removed(),
      elsewhere: () => this.#place.log('info', 'talk_elsewhere'),
      ready: () => void this.#tellReady(),
    });
    await session.load();
    this.#kept = kept;
    this.#session = session;
    // A device that was here before goes on with what it has; the rest is tried again.
    if (opened)
      await session
        .prove(opened)
        .catch((error: unknown) =>
          this.#place.log('warn', 'talk_later', { what: 'prove', error: wordsOf(error) }),
        );
    await this.#tellReady();
    session.listen();
    await session.openQueue();
  }

  async #tellReady(): Promise<void> {
    const session = this.#session;
    if (!session || !this.#kept) return;
    const { ground } = session;
    const own = await ownIdentity(ground);
    if (!own.privateKeys || !own.signed) {
      this.#become({ is: 'needs_recovery' });
      return;
    }
    session.ready = true;
    session.outbox.start();
    const { deviceId, kind } = this.#kept;
    const recoveryConfirmed = (await ground.store.get<boolean>('meta', 'recovery_confirmed')) ?? true;
    this.#become({
      is: 'ready',
      deviceId,
      userId: this.#place.userId,
      kind,
      recoveryConfirmed,
      verified: own.verified,
    });
  }

  #become(state: TalkState): void {
    this.#state = state;
    this.#emit({ what: 'state' });
  }

  #emit(change: TalkChange): void {
    for (const hear of [...this.#listeners]) hear(change);
  }

  async #removed(): Promise<void> {
    await this.#lifecycle.run(async () => {
      const session = this.#session;
      if (!session) return;
      await this.#end(session);
      await wipeDevice(this.#place, session.ground.deviceId, session.ground);
      this.#become({ is: 'removed' });
    });
  }

  async #end(session: Session): Promise<void> {
    this.#session = undefined;
    await session.stop();
    if (!this.#options.openMachine) session.ground.machine.olm.close();
  }

  /** @throws TalkError `not_ready` */
  #ready(): Session {
    if (!this.#session?.ready) throw new TalkError('not_ready', 'Talk is not ready on this device');
    return this.#session;
  }

  #opened(): Session {
    if (!this.#session) throw new TalkError('not_ready', 'Talk is not open');
    return this.#session;
  }

  /** For calls of the network that somebody waits for. */
  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asTalkError(error);
    }
  }

  async state(): Promise<TalkState> {
    return this.#state;
  }

  subscribe(hear: (change: TalkChange) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  begin(options: { name: string; kind: 'personal' | 'shared' }): Promise<{ recoverySecret: string | null }> {
    return this.#lifecycle.run(() =>
      this.#ask(async () => {
        if (!this.#session) {
          const kept = await this.#place.keep.find(this.#place.userId);
          const made = kept ? { kept } : await makeDevice(this.#place, options);
          await this.#open(made.kept, 'opened' in made ? made.opened : undefined);
        }
        // Also after a first try that was cut short: whatever is done is not done again.
        const session = this.#opened();
        await session.prove();
        if (!session.ready || !(await hasNoSecrets(session.ground))) return { recoverySecret: null };
        const recoverySecret = await putNewSecret(session.ground);
        await this.#tellReady();
        return { recoverySecret };
      }),
    );
  }

  async confirmRecovery(): Promise<void> {
    await this.#ready().ground.write(async (draft) => draft.put('meta', 'recovery_confirmed', true));
    await this.#tellReady();
  }

  async recover(secret: string): Promise<void> {
    const session = this.#opened();
    await this.#ask(() => takeSecrets(session.ground, secret));
    await this.#tellReady();
    await this.#ask(() => session.settle());
    await this.#tellReady();
  }

  async resetIdentity(password: string): Promise<{ recoverySecret: string }> {
    const session = this.#opened();
    const { ground } = session;
    return this.#ask(async () => {
      await makeIdentity(ground, password);
      await makeBackup(ground);
      await makeArchiveKey(ground);
      await archiveAll(ground);
      const recoverySecret = await putNewSecret(ground);
      await this.#tellReady();
      session.rest();
      return { recoverySecret };
    });
  }

  async newRecoverySecret(): Promise<string> {
    const { ground } = this.#ready();
    const secret = await this.#ask(() => putNewSecret(ground));
    await this.#tellReady();
    return secret;
  }

  async conversations(): Promise<Conversation[]> {
    return viewConversations(this.#opened().ground);
  }

  async messages(
    conversation: ConversationId,
    options: { before?: string; limit?: number } = {},
  ): Promise<{ items: Message[]; more: boolean }> {
    return viewMessages(this.#opened(), conversation, options);
  }

  async search(text: string): Promise<Message[]> {
    return search(this.#opened().ground, text);
  }

  async send(conversation: ConversationId, draft: Draft): Promise<string> {
    const { ground, outbox } = this.#ready();
    return composing.compose(ground, outbox, conversation, draft);
  }

  async edit(messageId: string, body: string, mentions?: string[]): Promise<void> {
    const { ground, outbox } = this.#ready();
    await composing.edit(ground, outbox, messageId, body, mentions);
  }

  async remove(messageId: string): Promise<void> {
    const { ground, outbox } = this.#ready();
    await composing.remove(ground, outbox, messageId);
  }

  async acknowledge(messageId: string): Promise<void> {
    const { ground, outbox } = this.#ready();
    await composing.acknowledge(ground, outbox, messageId);
  }

  async retry(messageId: string): Promise<void> {
    const { ground, outbox } = this.#ready();
    await composing.retry(ground, outbox, messageId);
  }

  async markRead(conversation: ConversationId): Promise<void> {
    const { ground, outbox } = this.#ready();
    await composing.markRead(ground, outbox, conversation);
  }

  async file(messageId: string, part: 'file' | 'thumbnail'): Promise<Blob> {
    return this.#ask(() => readFile(this.#opened().ground, messageId, part));
  }

  async createGroup(options: { name: string; memberIds: string[] }): Promise<ConversationId> {
    const { ground, outbox } = this.#ready();
    const others = options.memberIds.filter((id) => id !== ground.userId);
    const { id } = await this.#ask(() => createRoom(ground, others));
    await ground.write(async (draft) =>
      composing.addQuiet(ground, draft, outbox, id, { t: 'name', name: options.name }),
    );
    await this.#nameHere(id, options.name);
    return id;
  }

  async renameGroup(conversation: ConversationId, name: string): Promise<void> {
    const { ground, outbox } = this.#ready();
    requireRoom(ground, conversation);
    await ground.write(async (draft) =>
      composing.addQuiet(ground, draft, outbox, conversation, { t: 'name', name }),
    );
    await this.#nameHere(conversation, name);
  }

  async #nameHere(conversation: ConversationId, name: string): Promise<void> {
    const { ground } = this.#ready();
    await ground.write(async (draft) => {
      const record = await ground.conversation(draft, conversation);
      ground.keep(draft, { ...record, name });
    });
  }

  async addMembers(conversation: ConversationId, userIds: string[]): Promise<void> {
    const { ground } = this.#ready();
    const { roomId } = requireRoom(ground, conversation);
    await this.#ask(() =>
      changeRoom(ground, roomId, (members) => {
        const fresh = userIds.filter((id) => !members.includes(id));
        return fresh.length > 0 ? { action: 'add', userIds: fresh } : undefined;
      }),
    );
  }

  async removeMember(conversation: ConversationId, userId: string): Promise<void> {
    const { ground } = this.#ready();
    const { roomId } = requireRoom(ground, conversation);
    await this.#ask(() =>
      changeRoom(ground, roomId, (members) =>
        members.includes(userId) ? { action: 'remove', userIds: [userId] } : undefined,
      ),
    );
  }

  async leave(conversation: ConversationId): Promise<void> {
    const { ground } = this.#ready();
    const { roomId } = requireRoom(ground, conversation);
    await this.#ask(() =>
      changeRoom(ground, roomId, (members) =>
        members.includes(ground.userId) ? { action: 'leave' } : undefined,
      ),
    );
  }

  async joinIncident(incidentId: string): Promise<ConversationId> {
    const session = this.#ready();
    const { ground } = session;
    return this.#ask(async () => {
      const params = { id: incidentId };
      const record = await takeRoom(ground, await this.#place.rest.call('getIncidentRoom', { params }));
      await changeRoom(ground, record.id.slice(2), (members) =>
        members.includes(ground.userId) ? undefined : { action: 'join' },
      );
      session.rest();
      return record.id;
    });
  }

  async transcript(
    conversation: ConversationId,
  ): Promise<{ document: string; device_id: string; device_key: string; signature: string }> {
    return transcriptOf(this.#ready().ground, conversation);
  }

  async devices(userId: string): Promise<{ trust: Trust; devices: DeviceView[] }> {
    const { ground } = this.#opened();
    // Without the network, what is known is shown.
    await ground.machine.track([ground.userName(userId)]).catch((error: unknown) => {
      if (failureOf(error) !== 'later') throw error;
    });
    return viewDevices(ground, userId);
  }

  async acceptKeys(userId: string): Promise<void> {
    const { ground, outbox } = this.#ready();
    await acceptKeys(ground, userId);
    await forgetHidden(ground, userId);
    outbox.kick(true);
    ground.emit({ what: 'devices', userId });
    ground.emit({ what: 'conversations' });
  }

  async removing(deviceId: string): Promise<void> {
    await expectRemoval(this.#opened().ground, deviceId);
  }

  async verify(userId: string, deviceId?: string): Promise<string> {
    return this.#ask(() => this.#opened().verifications.start(userId, deviceId));
  }

  async verification(flowId: string): Promise<Verification | null> {
    return this.#opened().verifications.view(flowId);
  }

  async verificationAct(
    flowId: string,
    act: 'accept' | 'start_emoji' | 'confirm' | 'cancel' | { scanned: Uint8Array },
  ): Promise<void> {
    await this.#ask(() => this.#opened().verifications.act(flowId, act));
  }

  async sendCall(
    userId: string,
    deviceId: string | null,
    content: CallContent,
    options: { wake?: boolean } = {},
  ): Promise<void> {
    await this.#ask(() => callOut(this.#ready().ground, userId, deviceId, content, options.wake === true));
  }

  async recordCall(userId: string, record: CallRecord): Promise<void> {
    await composing.recordCall(this.#ready().ground, userId, record);
  }

  async turn(): Promise<RTCIceServer[]> {
    return this.#ask(() => turnServers(this.#place));
  }

  async close(): Promise<void> {
    await this.#lifecycle.run(async () => {
      const session = this.#session;
      if (!session) return;
      await this.#end(session);
      session.ground.store.close();
      this.#become({ is: 'opening' });
    });
  }

  async wipe(): Promise<void> {
    await this.#lifecycle.run(async () => {
      const session = this.#session;
      const kept = this.#kept ?? (await this.#place.keep.find(this.#place.userId));
      if (!kept) return;
      // First for the server: what is wiped here and known there would be written to for ever.
      await this.#place.rest
        .call('removeTalkDevice', { params: { id: kept.deviceId } })
        .catch((error: unknown) => this.#place.log('warn', 'talk_remove_failed', { error: wordsOf(error) }));
      if (session) await this.#end(session);
      await wipeDevice(this.#place, kept.deviceId, session?.ground);
      this.#kept = undefined;
      this.#become({ is: 'absent' });
    });
  }
}

/** The engine of this browser, opened: `state` says how that went. */
export async function createTalkEngine(place: TalkPlace, options: EngineOptions = {}): Promise<TalkEngine> {
  const engine = new TalkEngine(place, options);
  await engine.open();
  return engine;
}
