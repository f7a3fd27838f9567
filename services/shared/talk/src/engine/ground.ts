/** What the parts of the engine stand on: one device of one person, opened. */
import { talkRoomId, talkUserId } from '@siphera/contract';
import { TalkError, type TalkChange } from '../api.ts';
import type { ConversationId } from '../content.ts';
import type { TalkPlace } from '../ports.ts';
import { newConversation, type ConversationRecord } from './records.ts';
import type { Machine } from './machine.ts';
import { Serial } from './serial.ts';
import { endOfRange, type Draft, type Store } from './store.ts';

export class Ground {
  readonly place: TalkPlace;
  readonly machine: Machine;
  readonly store: Store;
  readonly emit: (change: TalkChange) => void;
  /** Everything that reads, decides and writes the tables; never waits for the network. */
  readonly ledger = new Serial();
  /** All of them: there are some hundreds at most. */
  readonly conversations = new Map<ConversationId, ConversationRecord>();
  closed = false;

  constructor(place: TalkPlace, machine: Machine, store: Store, emit: (change: TalkChange) => void) {
    this.place = place;
    this.machine = machine;
    this.store = store;
    this.emit = emit;
  }

  get userId(): string {
    return this.place.userId;
  }

  get deviceId(): string {
    return this.machine.deviceId;
  }

  userName(userId: string): string {
    return talkUserId(userId, this.place.orgId);
  }

  roomName(roomId: string): string {
    return talkRoomId(roomId, this.place.orgId);
  }

  async load(): Promise<void> {
    const rows = await this.store.range<ConversationRecord>('conversations', 'c', endOfRange);
    for (const row of rows) this.conversations.set(row.value.id, row.value);
  }

  /** One transaction over the tables, alone. A write that fails changes nothing in memory either. */
  write<T>(work: (draft: Draft) => Promise<T>): Promise<T> {
    return this.ledger.run(async () => {
      if (this.closed) throw new TalkError('not_ready', 'Talk is closed');
      const draft = this.store.draft();
      const result = await work(draft);
      await draft.commit();
      return result;
    });
  }

  /** A copy to change: `keep` makes it count. */
  async conversation(draft: Draft, id: ConversationId): Promise<ConversationRecord> {
    const drafted = await draft.get<ConversationRecord>('conversations', id);
    if (drafted) return drafted;
    return newConversation(id, id.startsWith('d:') ? 'direct' : 'group', null);
  }

  keep(draft: Draft, record: ConversationRecord): void {
    draft.put('conversations', record.id, record, `c|${record.id}`);
    draft.after(() => {
      this.conversations.set(record.id, record);
      this.emit({ what: 'conversations' });
    });
  }
}
