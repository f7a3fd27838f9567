/**
 * Brings incidents to people who are on duty and may see them. What must stay true: every step is a row with its time, written
 * in the transaction that decided it, so a restart neither loses nor doubles one; core is told at most once for each incident and
 * person that nothing was shown; and who may not see an incident gets nothing of it, neither now nor when its turn comes.
 */
import { isDeepStrictEqual } from 'node:util';
import { Incident, internalPaths, isGranted, type FeedEntry, type InternalPerson } from '@siphera/contract';
import { planFor, waveOf } from '../domain/alarm-wave.ts';
import { lifeMs, placeOf } from '../domain/push-payload.ts';
import { defaultPreferences } from '../domain/quiet-hours.ts';
import { atLeast } from '../domain/severity.ts';
import type { Ground } from '../ground.ts';
import type { PresenceStore } from '../store/presence.store.ts';
import type { PushIncident, PushIncidentStore, PushPerson } from '../store/push-incident.store.ts';
import type { PushJobStore, PushReceipt } from '../store/push-job.store.ts';
import type { PushSubscriptionStore } from '../store/push-subscription.store.ts';

/** So that the timeline of an incident stays the incident's, however many people it rings. */
const linesMax = 20;
/** Looked at in one go: one transaction stays short. The rest has its turn a moment later. */
const overdueMax = 100;
const reasonCharsMax = 300;

export type AlarmChainOptions = Pick<Ground, 'db' | 'clock' | 'log' | 'outbox' | 'people' | 'sockets'> & {
  incidents: PushIncidentStore;
  jobs: PushJobStore;
  subscriptions: PushSubscriptionStore;
  presence: PresenceStore;
};

export class AlarmChain {
  readonly #options: AlarmChainOptions;

  constructor(options: AlarmChainOptions) {
    this.#options = options;
  }

  /** Entries of core's feed, in order; one that was heard before changes nothing. */
  hear(entries: readonly FeedEntry[]): void {
    const incidents = entries.filter(({ kind }) => kind === 'incident');
    if (incidents.length === 0) return;
    this.#inTransaction(() => {
      for (const entry of incidents) {
        if (entry.action === 'deleted') this.#forget(entry.id);
        else this.#hearOne(entry);
      }
    });
  }

  /** The person, when the alarm may still go to him: on duty, and allowed to see it. */
  recipient(incident: PushIncident, userId: string): InternalPerson | undefined {
    const person = this.#options.people.get(userId);
    return person && this.#mayRing(person, incident) ? person : undefined;
  }

  /** An alarm was taken by a push service. When it was acknowledged meanwhile, the phone is told so. Inside a transaction. */
  taken(incidentId: string, subscriptionId: string): void {
    const incident = this.#options.incidents.get(incidentId);
    if (incident?.state !== 'new') this.#clearOn(incidentId, subscriptionId);
  }

  /** Nobody waits for this person any more. */
  letGo(incidentId: string, userId: string): void {
    this.#options.incidents.letGo(incidentId, userId);
  }

  /** A phone showed the alarm. Inside a transaction. */
  shown(receipt: PushReceipt): void {
    const { incidents, people, subscriptions, clock } = this.#options;
    const nowMs = clock.now();
    if (!incidents.noteShown(receipt.about, receipt.userId, nowMs)) return;
    const phone = subscriptions.get(receipt.subscriptionId)?.name ?? 'a phone';
    const name = people.get(receipt.userId)?.name ?? 'somebody';
    const seconds = Math.max(0, Math.round((nowMs - receipt.sentMs) / 1_000));
    this.#line(receipt.about, `Shown to ${name} on "${phone}", ${seconds} s after the push`, {
      push: 'shown',
      user_id: receipt.userId,
      name,
      phone,
      seconds,
    });
  }

  /** Tells core whom no push has reached in time. */
  tick(): void {
    const { incidents, clock } = this.#options;
    const overdue = incidents.overdue(clock.now(), overdueMax);
    if (overdue.length === 0) return;
    this.#inTransaction(() => {
      for (const row of overdue) this.#giveUp(row);
    });
  }

  #hearOne(entry: FeedEntry): void {
    const parsed = Incident.safeParse(entry.data);
    if (!parsed.success) {
      this.#options.log.error('incident_not_understood', { incident_id: entry.id, error: parsed.error });
      return;
    }
    const { incidents, clock } = this.#options;
    const incident = toRow(parsed.data, entry.scopes);
    const before = incidents.get(incident.id);
    // A door that is forced a hundred times changes its incident a hundred times, and nothing of this.
    if (before && (before.revision > incident.revision || isSame(before, incident))) return;
    incidents.save(incident, clock.now());
    const wave = waveOf(before, incident);
    if (wave !== undefined && this.#isOfUse(entry)) this.#ring(incident, wave);
    if (incident.state !== 'new' && before?.state === 'new') this.#clear(incident.id);
  }

  /** What is heard late (this service was down for long) rings nobody when its push would be over by now. */
  #isOfUse(entry: FeedEntry): boolean {
    return this.#options.clock.now() - Date.parse(entry.at) < lifeMs.alarm;
  }

  #ring(incident: PushIncident, wave: 'opened' | 'raised' | 'escalated'): void {
    const { people, jobs, incidents, sockets, subscriptions, clock } = this.#options;
    const nowMs = clock.now();
    const recipients = people.all(incident.orgId).filter((person) => this.#mayRing(person, incident));
    for (const { id: userId } of recipients) {
      const person = { online: sockets.online(userId), phones: subscriptions.liveOf(userId) };
      const plan = planFor(person, incident.severity, nowMs);
      if (!plan) continue;
      incidents.await(incident.id, userId, plan.deadlineMs);
      for (const subscriptionId of plan.phoneIds)
        jobs.put({
          subscriptionId,
          kind: 'alarm',
          about: incident.id,
          dueMs: plan.dueMs,
          endsMs: plan.dueMs + lifeMs.alarm,
        });
    }
    // It is cleared no more.
    jobs.cancel('cleared', incident.id);
    if (recipients.length === 0 && wave === 'opened') this.#sayNobody(incident);
  }

  /** Only where phones are used at all, and for what they ring for: else the line would stand on every incident. */
  #sayNobody({ id, orgId, severity }: PushIncident): void {
    const { alarms_from } = defaultPreferences;
    if (alarms_from === null || !atLeast(severity, alarms_from)) return;
    if (!this.#options.subscriptions.hasLiveInOrg(orgId)) return;
    this.#line(id, 'Nobody who may see this is on duty: no phone was rung up', { push: 'nobody' });
  }

  #mayRing(person: InternalPerson, incident: PushIncident): boolean {
    return (
      person.active &&
      person.org_id === incident.orgId &&
      isGranted(person.grants, 'incident.read', incident.scopes) &&
      this.#options.presence.get(person.id)?.dutySinceMs !== undefined
    );
  }

  /** Somebody has it: what waits is called off, and phones that have it take it down. */
  #clear(incidentId: string): void {
    const { jobs, incidents } = this.#options;
    jobs.cancel('alarm', incidentId);
    incidents.letGo(incidentId);
    for (const subscriptionId of jobs.phonesWith(incidentId)) this.#clearOn(incidentId, subscriptionId);
  }

  #clearOn(incidentId: string, subscriptionId: string): void {
    const nowMs = this.#options.clock.now();
    this.#options.jobs.put({
      subscriptionId,
      kind: 'cleared',
      about: incidentId,
      dueMs: nowMs,
      endsMs: nowMs + lifeMs.cleared,
    });
  }

  #forget(incidentId: string): void {
    this.#clear(incidentId);
    this.#options.incidents.remove(incidentId);
  }

  #giveUp({ incidentId, userId }: PushPerson): void {
    const { incidents, outbox, clock } = this.#options;
    const incident = incidents.get(incidentId);
    const person = incident && this.recipient(incident, userId);
    if (!person || incident?.state !== 'new') {
      incidents.letGo(incidentId, userId);
      return;
    }
    if (!incidents.noteUndelivered(incidentId, userId, clock.now())) {
      incidents.letGo(incidentId, userId);
      return;
    }
    // Core puts its own line on the timeline, with what it did about it.
    outbox.post(internalPaths.pushUndelivered, {
      incident_id: incidentId,
      user_id: userId,
      reason: this.#whyNot(userId),
    });
  }

  /** In words for people. */
  #whyNot(userId: string): string {
    const phones = this.#options.subscriptions.liveOf(userId);
    if (phones.length === 0) return 'no phone is set up to be rung up';
    const each = phones.map(({ name, lastError }) => `"${name}" ${lastError ?? 'did not show it'}`);
    return each.join('; ').slice(0, reasonCharsMax);
  }

  #line(incidentId: string, text: string, data: Record<string, unknown>): void {
    const { incidents, outbox } = this.#options;
    if (!incidents.takeLine(incidentId, linesMax)) return;
    outbox.post(internalPaths.incidentLine, { incident_id: incidentId, text: text.slice(0, 500), data });
  }

  #inTransaction(act: () => void): void {
    this.#options.db.transaction(act).immediate();
  }
}

/** But for the revision, which alone tells nothing. */
const isSame = (before: PushIncident, now: PushIncident): boolean =>
  isDeepStrictEqual({ ...before, revision: 0 }, { ...now, revision: 0 });

const toRow = (incident: Incident, scopes: readonly string[]): PushIncident => ({
  id: incident.id,
  orgId: incident.org_id,
  number: incident.number,
  title: incident.title,
  severity: incident.severity,
  state: incident.state,
  level: incident.escalation_level,
  place: placeOf(incident),
  openedMs: Date.parse(incident.opened_at),
  test: incident.test,
  scopes,
  revision: incident.revision,
});
