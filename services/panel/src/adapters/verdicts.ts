/**
 * Decides on one judged frame: which answer, which events, what the account is known by. Writes to the stores, inside
 * the transaction of its batch; the events it made and the accounts it saw are gathered for the end of that batch.
 */
import { selfTestAccount } from '@siphera/contract';
import type { Clock, Random } from '@siphera/runtime';
import { isAccountNumber, type Account, type Transport } from '../domain/account.ts';
import { writeAck, writeDuh, writeEncryptedAck, writeNak, type Echo } from '../domain/answer.ts';
import type { Judgement, Message } from '../domain/judge.ts';
import { toEvents } from '../domain/panel-event.ts';
import { eventIdOf, isRetransmission } from '../domain/retransmission.ts';
import { supervisionEvent } from '../domain/supervision.ts';
import { troubleEvent, type UnreadableReason } from '../domain/trouble.ts';
import type { AccountStore, Sighting } from '../store/account.store.ts';
import type { Verdict } from '../store/frame.store.ts';
import type { MessageStore } from '../store/message.store.ts';
import type { QueuedRow } from './core-pump.ts';
import { enqueueEvents, makeTraceparent } from './outbox-row.ts';

export type Seen = { frameId: number; transport: Transport; address: string; nowMs: number };
export type Decision = {
  verdict: Verdict;
  reason: string;
  answer?: () => Buffer;
  /** Id of the event whose commit the answer waits for. */
  waitFor?: string;
};

/** Times a message is refused for its time. A panel that still sends the same cannot set its clock and would hang. */
const naksMax = 2;
/** One "cannot be read" event per account in this time. */
const troubleEveryMs = 10 * 60_000;
const troubledMax = 1_000;

export type VerdictParts = {
  accounts: AccountStore;
  messages: MessageStore;
  clock: Clock;
  random: Random;
  /** Whether core takes events now. */
  coreReachable: () => boolean;
};

export class Verdicts {
  readonly #parts: VerdictParts;
  readonly #troubled = new Map<string, number>();
  #rows: QueuedRow[] = [];
  #sightings = new Map<string, Sighting>();

  constructor(parts: VerdictParts) {
    this.#parts = parts;
  }

  begin(): void {
    this.#rows = [];
    this.#sightings = new Map();
  }

  /** Notes the accounts seen in this batch. @returns the outbox rows made since `begin`, in order. */
  finish(nowMs: number): QueuedRow[] {
    for (const seen of this.#sightings.values()) this.#noteSighting(seen, nowMs);
    return this.#rows;
  }

  decide(judgement: Judgement, seen: Seen): Decision {
    if (judgement.kind === 'bad') {
      if (judgement.account !== undefined) this.#sight(judgement.account, seen, 'bad');
      return { verdict: 'silent', reason: judgement.reason };
    }
    if (judgement.kind === 'unable') {
      this.#sight(judgement.account, seen, 'unable');
      this.#tellTrouble(judgement.account, judgement.reason, seen.nowMs);
      return { verdict: 'duh', reason: judgement.reason, answer: () => writeDuh(judgement.echo) };
    }
    return this.#decideMessage(judgement.message, judgement.echo, seen);
  }

  #decideMessage(message: Message, echo: Echo, seen: Seen): Decision {
    const { messages, accounts, clock } = this.#parts;
    const account = accounts.find(message.account);
    const answer = this.#ackOf(message, echo, account);
    const found = messages.find(message);
    // A row without event id stands for a message that was refused for its time.
    const earlier = found && found.eventId !== '' ? found : undefined;
    const again = isRetransmission(message, earlier, seen.nowMs);
    const naks = found && !earlier && found.contentHash.equals(message.contentHash) ? found.naks : 0;
    if (!again && !message.timely && naks < naksMax) {
      messages.save(message, { eventId: '', naks: naks + 1 }, seen.nowMs);
      this.#sight(message.account, seen, 'unable');
      return { verdict: 'nak', reason: 'time', answer: () => writeNak(echo.crcForm, clock.now()) };
    }
    this.#sight(message.account, seen, message.timely ? 'good' : 'untimely');
    if (message.reports.length === 0) return this.#linkTest(answer);
    if (account?.state === 'ignored') return { verdict: 'ack', reason: 'ignored_account', answer };
    if (!again || !earlier) return this.#newMessage(message, account, answer, seen);
    if (earlier.committedMs !== null) {
      messages.acked(message, seen.nowMs);
      return { verdict: 'ack', reason: 'again', answer };
    }
    return { verdict: 'pending', reason: 'again', answer, waitFor: earlier.eventId };
  }

  #newMessage(
    message: Message,
    account: Account | undefined,
    answer: () => Buffer,
    { frameId, transport, nowMs }: Seen,
  ): Decision {
    const eventId = eventIdOf(message, nowMs, frameId);
    const list = toEvents({
      message,
      account,
      eventId,
      receivedMs: nowMs,
      transport,
      traceparent: makeTraceparent(this.#parts.random),
      timeUntrusted: !message.timely,
    });
    this.#parts.messages.save(message, { eventId, naks: 0 }, nowMs);
    const { account: number, path, sequence } = message;
    const row = { eventId, frameId, account: number, path, sequence };
    this.#rows.push(enqueueEvents(this.#parts.messages, row, list, nowMs));
    const reason = message.timely ? 'committed' : 'time_untrusted';
    return { verdict: 'pending', reason, answer, waitFor: eventId };
  }

  /** A link test carries nothing to commit; it asks whether a report would arrive. While core is away it would not. */
  #linkTest(answer: () => Buffer): Decision {
    if (!this.#parts.coreReachable()) return { verdict: 'silent', reason: 'core_away' };
    return { verdict: 'ack', reason: 'link_test', answer };
  }

  #ackOf(message: Message, echo: Echo, account: Account | undefined): () => Buffer {
    const key = account?.key;
    if (!message.encrypted || !key) return () => writeAck(echo);
    const { clock, random } = this.#parts;
    return () => writeEncryptedAck(echo, key, clock.now(), (length) => random.bytes(length));
  }

  #sight(account: string, { transport, address }: Seen, how: 'good' | 'untimely' | 'unable' | 'bad'): void {
    const seen = this.#sightings.get(account) ?? {
      account,
      transport,
      address,
      frames: 0,
      bad: 0,
      heard: false,
      listable: false,
    };
    seen.transport = transport;
    seen.address = address;
    if (how === 'good' || how === 'untimely') seen.frames += 1;
    else seen.bad += 1;
    // A recording or a forgery must not keep a dead panel alive.
    seen.heard ||= how === 'good';
    // The account in a frame with a bad CRC may be any number.
    seen.listable ||= how !== 'bad' && isAccountNumber(account) && !selfTestAccount.test(account);
    this.#sightings.set(account, seen);
  }

  #noteSighting(seen: Sighting, nowMs: number): void {
    const { accounts, random, messages } = this.#parts;
    accounts.sight(seen, () => random.uuid(), nowMs);
    const account = accounts.find(seen.account);
    if (!seen.heard || account?.supervision !== 'lost') return;
    accounts.setSupervision(account.id, 'ok', nowMs);
    const id = random.uuid();
    const event = supervisionEvent(
      account,
      { type: 'panel.supervision_restored' },
      { id, nowMs, traceparent: makeTraceparent(random) },
    );
    this.#rows.push(enqueueEvents(messages, { eventId: id, account: account.account }, [event], nowMs));
  }

  /** A report that cannot be read may be an alarm: somebody should know. Only for accounts that somebody adopted. */
  #tellTrouble(number: string, reason: UnreadableReason, nowMs: number): void {
    const { accounts, random, messages } = this.#parts;
    const account = accounts.find(number);
    const toldMs = this.#troubled.get(number);
    if (account?.state !== 'active' || (toldMs !== undefined && nowMs - toldMs < troubleEveryMs)) return;
    if (this.#troubled.size >= troubledMax) this.#troubled.clear();
    this.#troubled.set(number, nowMs);
    const id = random.uuid();
    const event = troubleEvent(account, reason, { id, nowMs, traceparent: makeTraceparent(random) });
    this.#rows.push(enqueueEvents(messages, { eventId: id, account: number }, [event], nowMs));
  }
}
