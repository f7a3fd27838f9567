/**
 * Tells core of emergency calls: the event, the incident, its lines. What must stay true: what is to be told lies in the file
 * until it was told, in order for each call; a call that core refuses holds up no other; a new one waits for nobody's turn.
 */
import { IncomingEvent, InternalOpenedIncident, internalPaths, type ErrorCode } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import type { Ground, HealthCheck } from '../ground.ts';
import type { CallRow, EmergencyCallStore, Word } from '../store/emergency-call.store.ts';

/** Words looked at in one round: more calls than that at once there are not. */
const wordsAtOnce = 200;
const retryMsFirst = 100;
const retryMsMax = 5_000;
/** Waiting longer than this is told. */
const waitingMsMax = 10_000;

/** Core says that this very content will never be taken. A place that core no longer knows is looked up again. */
const permanent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'validation_failed',
  'malformed_body',
  'payload_too_large',
  'unprocessable',
  'forbidden',
  'conflict',
  'duplicate',
]);

type Options = {
  ground: Pick<Ground, 'client' | 'clock' | 'log' | 'outbox' | 'places'>;
  store: EmergencyCallStore;
  /** Organisation and site of a call, as far as they are known. */
  placeOf: (call: CallRow) => { orgId: string; siteId: string } | undefined;
  /** Called in the transaction that keeps the incident of a call. */
  onIncident?: ((call: CallRow, incidentId: string) => void) | undefined;
};

export class EmergencyCourier {
  readonly #ground: Options['ground'];
  readonly #store: EmergencyCallStore;
  readonly #placeOf: Options['placeOf'];
  readonly #onIncident: Options['onIncident'];
  #isStopped = false;
  #isWoken = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor({ ground, store, placeOf, onIncident }: Options) {
    this.#ground = ground;
    this.#store = store;
    this.#placeOf = placeOf;
    this.#onIncident = onIncident;
    ground.places.onChange(() => this.wake());
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#wake?.();
    await this.#running;
  }

  /** There is something new to tell: at once, also when core did not answer a moment ago. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  check(): HealthCheck {
    const { waiting, refused } = this.#store.wordCounts();
    const [oldest] = waiting === 0 ? [] : this.#store.words(1);
    const isLate = oldest !== undefined && this.#ground.clock.now() - oldest.at_ms > waitingMsMax;
    return {
      name: 'emergency calls',
      state: isLate || refused > 0 ? 'degraded' : 'ok',
      detail: `${waiting} messages wait for core${refused > 0 ? `, ${refused} were refused` : ''}`,
    };
  }

  async #run(): Promise<void> {
    let waitMs = retryMsFirst;
    while (!this.#isStopped) {
      this.#isWoken = false;
      const away = await this.#round();
      if (away === undefined) {
        waitMs = retryMsFirst;
        await this.#sleep();
      } else {
        await this.#sleep(waitMs);
        waitMs = Math.min(waitMs * 2, retryMsMax);
      }
    }
  }

  /** @returns why core is to be asked again later; undefined when all was told that can be. */
  async #round(): Promise<unknown> {
    let away: unknown;
    /** Calls whose earlier words wait: later ones wait with them. */
    const held = new Set<string>();
    for (const word of this.#store.words(wordsAtOnce)) {
      if (this.#isStopped) return undefined;
      if (held.has(word.emergency_call) && word.kind !== 'event') continue;
      try {
        if (!(await this.#tell(word))) held.add(word.emergency_call);
      } catch (error) {
        away = error;
        held.add(word.emergency_call);
      }
    }
    return away;
  }

  /** @returns whether it was told; false while organisation and site are not known. @throws AppError when core is away. */
  async #tell(word: Word): Promise<boolean> {
    const call = this.#store.get(word.emergency_call);
    const place = call && this.#placeOf(call);
    if (!call || !place) return false;
    if (word.kind === 'event') this.#tellEvent(word, place);
    else if (word.kind === 'open') await this.#open(word, call, place);
    else this.#tellLine(word, call);
    return true;
  }

  #tellEvent(word: Word, { orgId, siteId }: { orgId: string; siteId: string }): void {
    this.#store.transaction(() => {
      this.#ground.outbox.event(IncomingEvent.parse({ ...word.body, orgid: orgId, siteid: siteId }));
      this.#store.told(word.id);
    });
  }

  async #open(
    word: Word,
    call: CallRow,
    { orgId, siteId }: { orgId: string; siteId: string },
  ): Promise<void> {
    const body = { ...word.body, org_id: orgId, site_id: siteId };
    try {
      const answer = await this.#ground.client.call('POST', internalPaths.openIncident, body);
      const { incident_id: incidentId } = InternalOpenedIncident.parse(answer);
      this.#store.transaction(() => {
        this.#store.setIncident(call.id, incidentId);
        this.#onIncident?.(call, incidentId);
        this.#store.told(word.id);
      });
    } catch (error) {
      if (!(error instanceof AppError) || !permanent.has(error.code)) throw error;
      this.#ground.log.error('emergency_incident_refused', { error, emergency_call: call.id });
      this.#store.refuse(word.id, `${error.code}: ${error.message}`);
    }
  }

  #tellLine(word: Word, call: CallRow): void {
    if (call.incident_id === null) {
      this.#store.refuse(word.id, 'Core refused the incident.');
      return;
    }
    const incidentId = call.incident_id;
    this.#store.transaction(() => {
      this.#ground.outbox.post(internalPaths.incidentLine, { ...word.body, incident_id: incidentId });
      this.#store.told(word.id);
    });
  }

  /** Until woken, or for `ms` when given. */
  #sleep(ms?: number): Promise<void> {
    if (this.#isStopped || this.#isWoken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
