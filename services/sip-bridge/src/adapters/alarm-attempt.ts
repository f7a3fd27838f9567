/** One person's turn in an alarm call: dialled, spoken to, asked for a key. */
import { setTimeout as sleep } from 'node:timers/promises';
import { InternalAcknowledged, internalPaths } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import { languageOf } from '../domain/civic-address.ts';
import { emergencyForms } from '../domain/number-plan.ts';
import type { CallOutcome } from '../domain/alarm-outcome.ts';
import type { Turn } from '../domain/alarm-turn.ts';
import { alarmText, attemptWords, spokenLanguage, thanksText } from '../domain/alarm-words.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { AlarmCallRow, AlarmCallStore, Attempt } from '../store/alarm-call.store.ts';
import type { Caller, DigitAnswer } from './alarm-caller.ts';
import { alarmLimit } from './alarm-limits.ts';
import { postLine } from './alarm-line.ts';
import type { Speech } from './speech-espeak.ts';

export type AttemptWaits = { talkMsMax: number; serverRetryMs: number; serverTriesMax: number };
/**
 * Two minutes to listen and to think. A SIP server that is away takes nobody's turn: it is asked every five seconds, for ten minutes;
 * Kamailio restarts in less.
 */
const defaultWaits: AttemptWaits = { talkMsMax: 120_000, serverRetryMs: 5_000, serverTriesMax: 120 };
const acknowledgeKey = '1';
const declineKey = '9';

/** What stops a call when the bridge itself stops: it is made anew after the next start. */
export const shutdown = Symbol('shutdown');

/** What alarm calls stand on. */
export type AlarmParts = {
  ground: Pick<Ground, 'clock' | 'client' | 'outbox' | 'people' | 'log' | 'metrics'>;
  book: Pick<PlanBook, 'extension' | 'extensionOfUser' | 'plan'>;
  store: AlarmCallStore;
  caller: Caller;
  speech: Speech;
};
type AlarmAttemptOptions = AlarmParts & {
  row: AlarmCallRow;
  turn: Turn;
  signal: AbortSignal;
  waits?: Partial<AttemptWaits>;
};
type Key = { outcome: 'acknowledged' | 'declined' | 'failed'; detail: string };

export class AlarmAttempt {
  readonly #options: AlarmAttemptOptions;
  readonly #waits: AttemptWaits;
  #key: Key | undefined;
  #isAcknowledging = false;

  constructor(options: AlarmAttemptOptions) {
    this.#options = options;
    this.#waits = { ...defaultWaits, ...options.waits };
  }

  /** The key to acknowledge was pressed, whether core has said something to it or not. */
  hasKey(): boolean {
    return this.#isAcknowledging || this.#key?.outcome === 'acknowledged';
  }

  async make(): Promise<Attempt['outcome']> {
    const { row, turn, store, ground } = this.#options;
    const who = this.#whom();
    const attempt: Attempt = {
      n: turn.n,
      name: who.name,
      number: who.number ?? '',
      atMs: ground.clock.now(),
      outcome: 'ringing',
      detail: '',
    };
    store.saveAttempt(row.id, attempt);
    const came =
      who.number === undefined || who.problem !== undefined
        ? { outcome: 'failed' as const, detail: who.problem ?? 'has no number' }
        : await this.#tryToRing(attempt, who.number);
    if (this.#options.signal.reason === shutdown && !this.#key) {
      store.removeAttempt(row.id, attempt.n);
      return 'failed';
    }
    const made = { ...attempt, ...came };
    store.saveAttempt(row.id, made);
    // Where it was stopped, the timeline says by whom.
    if (!this.#options.signal.aborted || this.#key)
      postLine(ground.outbox, row, attemptWords(made), {
        n: made.n,
        number: made.number,
        outcome: made.outcome,
      });
    return made.outcome;
  }

  /** Name and number, or why he is not called. */
  #whom(): { name: string; number: string | undefined; problem?: string } {
    const { ground, book, row, turn } = this.#options;
    const { user_id: userId, number } = turn.target;
    if (userId === null) {
      const dialled = number ?? '';
      // A machine that calls for help by itself keeps those from help who need it; a guard decides that.
      const isForHelp = emergencyForms(book.plan()).has(dialled);
      const problem = isForHelp
        ? 'that is a number for help, which a rule does not call'
        : alarmLimit(this.#options, row.orgId, dialled);
      return { name: dialled, number: dialled, ...(problem === undefined ? {} : { problem }) };
    }
    const person = ground.people.get(userId);
    if (!person?.active)
      return { name: person?.name ?? 'Somebody', number: undefined, problem: 'is not there any more' };
    return { name: person.name, number: book.extensionOfUser(userId)?.number };
  }

  /** Whatever goes wrong with one is told, and the next is called. */
  async #tryToRing(attempt: Attempt, number: string): Promise<Pick<Attempt, 'outcome' | 'detail'>> {
    try {
      return await this.#ring(attempt, number);
    } catch (error) {
      this.#options.ground.log.error('alarm_call_not_made', { error, alarm_call_id: this.#options.row.id });
      const detail = error instanceof AppError ? error.message : 'the call could not be made';
      return { outcome: 'failed', detail };
    }
  }

  async #ring(attempt: Attempt, number: string): Promise<Pick<Attempt, 'outcome' | 'detail'>> {
    const { row, store, speech, caller, signal } = this.#options;
    const wav = await speech.say(alarmText(this.#language(), row.say), this.#language());
    // Bounded by `serverTriesMax`.
    for (let tries = 1; ; tries += 1) {
      const end = await caller.call({
        to: number,
        ringMsMax: row.ringS * 1_000,
        talkMsMax: this.#waits.talkMsMax,
        wav,
        signal,
        onAnswer: () => store.saveAttempt(row.id, { ...attempt, outcome: 'speaking' }),
        onDigit: (digit) => this.#press(digit, attempt),
      });
      const isAway = end.outcome === 'failed' && end.code === undefined && !signal.aborted;
      if (!isAway || tries >= this.#waits.serverTriesMax) return this.#cameTo(end);
      store.saveAttempt(row.id, { ...attempt, detail: `${end.reason}; trying again` });
      await pause(this.#waits.serverRetryMs, signal);
    }
  }

  #cameTo({ outcome, reason, code }: CallOutcome): Pick<Attempt, 'outcome' | 'detail'> {
    if (this.#key) return this.#key;
    const detail = code === undefined || outcome === 'answered' ? reason : `${reason} (${code})`;
    return { outcome: outcome === 'answered' ? 'no_key' : outcome, detail: detail.slice(0, 300) };
  }

  async #press(digit: string, { name, number }: Attempt): Promise<DigitAnswer> {
    if (this.#key) return false;
    if (digit === declineKey) {
      this.#key = { outcome: 'declined', detail: '' };
      return true;
    }
    if (digit !== acknowledgeKey) return false;
    const { speech } = this.#options;
    this.#isAcknowledging = true;
    this.#key = await this.#acknowledge(name, number);
    this.#isAcknowledging = false;
    if (this.#key.outcome !== 'acknowledged') return true;
    const isFirst = this.#key.detail === '';
    return speech.say(thanksText(this.#language(), isFirst), this.#language());
  }

  async #acknowledge(name: string, number: string): Promise<Key> {
    const { ground, row, turn } = this.#options;
    const body = {
      incident_id: row.incidentId,
      user_id: turn.target.user_id,
      name,
      text: name === number ? `Acknowledged by phone: ${number}` : `Acknowledged by phone (${number})`,
    };
    try {
      const answer = await ground.client.call('POST', internalPaths.acknowledgeIncident, body);
      const { changed, state } = InternalAcknowledged.parse(answer);
      return { outcome: 'acknowledged', detail: changed ? '' : `It was ${state} already` };
    } catch (error) {
      if (error instanceof AppError && error.code !== 'unavailable' && error.code !== 'internal') {
        ground.log.warn('alarm_key_refused', { error, incident_id: row.incidentId });
        return { outcome: 'failed', detail: `pressed the key, and that was refused: ${error.message}` };
      }
      // Core is away: it gets it as soon as it is back, and nobody else is called.
      ground.outbox.post(internalPaths.acknowledgeIncident, body);
      return { outcome: 'acknowledged', detail: '' };
    }
  }

  #language = () => spokenLanguage(languageOf(this.#options.book.plan().country));
}

/** Resolves early when it is stopped. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);
