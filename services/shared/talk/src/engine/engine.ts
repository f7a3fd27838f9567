/**
 * The engine of secure talk: what the console asks for (`TalkApi`), over one device of one person. `open` once the place is there;
 * everything else then is as `api.ts` says. What must stay true: without a device that its owner signed, nothing is sent.
 */
import type {
  CallRecord,
  Conversation,
  DeviceView,
  Draft,
  Message,
  TalkApi,
  Trust,
  Verification,
} from '../api.ts';
import type { CallContent, ConversationId } from '../content.ts';
import type { TalkPlace } from '../ports.ts';
import { callOut, turnServers } from './calling.ts';
import { changeRoom, createRoom, requireRoom, takeRoom } from './chain.ts';
import * as composing from './compose.ts';
import { failureOf } from './failures.ts';
import { expectRemoval, forgetHidden } from './hidden.ts';
import { acceptKeys, viewDevices } from './identity.ts';
import { TalkLife, type EngineOptions } from './life.ts';
import { transcriptOf } from './transcript.ts';
import { readFile, search, viewConversations, viewMessages } from './views.ts';

export class TalkEngine extends TalkLife implements TalkApi {
  async conversations(): Promise<Conversation[]> {
    return viewConversations(this.opened().ground);
  }

  async messages(
    conversation: ConversationId,
    options: { before?: string; limit?: number } = {},
  ): Promise<{ items: Message[]; more: boolean }> {
    return viewMessages(this.opened(), conversation, options);
  }

  async search(text: string): Promise<Message[]> {
    return search(this.opened().ground, text);
  }

  async send(conversation: ConversationId, draft: Draft): Promise<string> {
    const { ground, outbox } = this.ready();
    return composing.compose(ground, outbox, conversation, draft);
  }

  async edit(messageId: string, body: string, mentions?: string[]): Promise<void> {
    const { ground, outbox } = this.ready();
    await composing.edit(ground, outbox, messageId, body, mentions);
  }

  async remove(messageId: string): Promise<void> {
    const { ground, outbox } = this.ready();
    await composing.remove(ground, outbox, messageId);
  }

  async acknowledge(messageId: string): Promise<void> {
    const { ground, outbox } = this.ready();
    await composing.acknowledge(ground, outbox, messageId);
  }

  async retry(messageId: string): Promise<void> {
    const { ground, outbox } = this.ready();
    await composing.retry(ground, outbox, messageId);
  }

  async markRead(conversation: ConversationId): Promise<void> {
    const { ground, outbox } = this.ready();
    await composing.markRead(ground, outbox, conversation);
  }

  async file(messageId: string, part: 'file' | 'thumbnail'): Promise<Blob> {
    return this.ask(() => readFile(this.opened().ground, messageId, part));
  }

  async createGroup(options: { name: string; memberIds: string[] }): Promise<ConversationId> {
    const { ground, outbox } = this.ready();
    const others = options.memberIds.filter((id) => id !== ground.userId);
    const { id } = await this.ask(() => createRoom(ground, others));
    await ground.write(async (draft) =>
      composing.addQuiet(ground, draft, outbox, id, { t: 'name', name: options.name }),
    );
    await this.#nameHere(id, options.name);
    return id;
  }

  async renameGroup(conversation: ConversationId, name: string): Promise<void> {
    const { ground, outbox } = this.ready();
    requireRoom(ground, conversation);
    await ground.write(async (draft) =>
      composing.addQuiet(ground, draft, outbox, conversation, { t: 'name', name }),
    );
    await this.#nameHere(conversation, name);
  }

  async #nameHere(conversation: ConversationId, name: string): Promise<void> {
    const { ground } = this.ready();
    await ground.write(async (draft) => {
      const record = await ground.conversation(draft, conversation);
      ground.keep(draft, { ...record, name, namedAt: ground.place.now(), nameUnproven: false });
    });
  }

  async addMembers(conversation: ConversationId, userIds: string[]): Promise<void> {
    const { ground } = this.ready();
    const { roomId } = requireRoom(ground, conversation);
    await this.ask(() =>
      changeRoom(ground, roomId, (members) => {
        const fresh = userIds.filter((id) => !members.includes(id));
        return fresh.length > 0 ? { action: 'add', userIds: fresh } : undefined;
      }),
    );
  }

  async removeMember(conversation: ConversationId, userId: string): Promise<void> {
    const { ground } = this.ready();
    const { roomId } = requireRoom(ground, conversation);
    await this.ask(() =>
      changeRoom(ground, roomId, (members) =>
        members.includes(userId) ? { action: 'remove', userIds: [userId] } : undefined,
      ),
    );
  }

  async leave(conversation: ConversationId): Promise<void> {
    const { ground } = this.ready();
    const { roomId } = requireRoom(ground, conversation);
    await this.ask(() =>
      changeRoom(ground, roomId, (members) =>
        members.includes(ground.userId) ? { action: 'leave' } : undefined,
      ),
    );
  }

  async joinIncident(incidentId: string): Promise<ConversationId> {
    const session = this.ready();
    const { ground } = session;
    return this.ask(async () => {
      const params = { id: incidentId };
      const record = await takeRoom(ground, await this.place.rest.call('getIncidentRoom', { params }));
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
    const session = this.ready();
    return this.ask(() => transcriptOf(session, conversation));
  }

  async devices(
    userId: string,
  ): Promise<{ trust: Trust; identityKey: string | null; devices: DeviceView[] }> {
    const { ground } = this.opened();
    // Without the network, what is known is shown.
    await ground.machine.track([ground.userName(userId)]).catch((error: unknown) => {
      if (failureOf(error) !== 'later') throw error;
    });
    return viewDevices(ground, userId);
  }

  async acceptKeys(userId: string, identityKey?: string): Promise<void> {
    const { ground, outbox, rereads } = this.ready();
    await acceptKeys(ground, userId, identityKey);
    await forgetHidden(ground, userId);
    await rereads.unproven();
    outbox.kick(true);
    ground.emit({ what: 'devices', userId });
    ground.emit({ what: 'conversations' });
  }

  async removing(deviceId: string): Promise<void> {
    await expectRemoval(this.opened().ground, deviceId);
  }

  async verify(userId: string, deviceId?: string): Promise<string> {
    return this.ask(() => this.opened().verifications.start(userId, deviceId));
  }

  async verification(flowId: string): Promise<Verification | null> {
    return this.opened().verifications.view(flowId);
  }

  async verificationAct(
    flowId: string,
    act: 'accept' | 'start_emoji' | 'confirm' | 'cancel' | { scanned: Uint8Array },
  ): Promise<void> {
    await this.ask(() => this.opened().verifications.act(flowId, act));
  }

  async sendCall(
    userId: string,
    deviceId: string | null,
    content: CallContent,
    options: { wake?: boolean } = {},
  ): Promise<void> {
    await this.ask(() => callOut(this.ready().ground, userId, deviceId, content, options.wake === true));
  }

  async recordCall(userId: string, record: CallRecord): Promise<void> {
    const session = this.ready();
    await composing.recordCall(session.ground, userId, record);
    // Soon in the archive, for the devices that were away.
    session.rest();
  }

  async turn(): Promise<RTCIceServer[]> {
    return this.ask(() => turnServers(this.place));
  }
}

/** The engine of this browser, opened: `state` says how that went. */
export async function createTalkEngine(place: TalkPlace, options: EngineOptions = {}): Promise<TalkEngine> {
  const engine = new TalkEngine(place, options);
  await engine.open();
  return engine;
}
