/** Going on where a push stopped: what signaling tells an incident's timeline, and e-mail for who was not reached. */
import { isGranted } from '@siphera/contract/base';
import type { InternalIncidentLine, InternalPushUndelivered } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { grantsOf } from '../identity/store/grants.store.ts';
import { readUser, type UserRow } from '../identity/store/identity-rows.ts';
import { incidentScopes, readIncident } from '../incidents/store/incident.store.ts';
import type { IncidentRow } from '../incidents/store/incident-rows.ts';
import { addTimeline } from '../incidents/store/timeline.store.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { readSmtp } from './notify-reads.ts';
import { queueMail } from './queue-notifications.ts';

const box = { kind: 'system', id: 'talk', name: 'Siphera' } as const;

function requireBox({ actor }: WriteContext): void {
  if (actor.kind !== 'system') throw new AppError('forbidden', 'Only services of the box write this.');
}

export const pushWrites = {
  /** Comes until it was answered: the same text and data a second time change nothing. */
  addIncidentLine: (
    context: WriteContext,
    input: z.infer<typeof InternalIncidentLine>,
  ): { added: boolean } => {
    requireBox(context);
    requireIncident(context, input.incident_id);
    const before = context.db
      .prepare(
        `SELECT 1 FROM timeline WHERE incident_id = ? AND kind = 'notification' AND text = ? AND data = ?`,
      )
      .get(input.incident_id, input.text, JSON.stringify(input.data));
    if (before !== undefined) return { added: false };
    addLine(context, input);
    return { added: true };
  },

  /**
   * E-mail to who was not reached, while nobody has taken the incident. Once for each incident and user.
   * @throws AppError `not_found`, or `unprocessable` for somebody who may not see the incident.
   */
  pushUndelivered: (
    context: WriteContext,
    input: z.infer<typeof InternalPushUndelivered>,
  ): { mailed: boolean } => {
    requireBox(context);
    const incident = requireIncident(context, input.incident_id);
    const user = requireReader(context, incident, input.user_id);
    const { db, nowMs } = context;
    const before = db
      .prepare('SELECT 1 FROM push_undelivered WHERE incident_id = ? AND user_id = ?')
      .get(incident.id, user.id);
    if (before !== undefined || incident.state !== 'new') return { mailed: false };
    const mailed = readSmtp(db, incident.org_id).enabled;
    db.prepare('INSERT INTO push_undelivered (incident_id, user_id, at_ms, mailed) VALUES (?, ?, ?, ?)').run(
      incident.id,
      user.id,
      nowMs,
      mailed ? 1 : 0,
    );
    if (mailed)
      queueMail(context, {
        orgId: incident.org_id,
        to: user.email,
        title: `No phone showed it: #${incident.number} ${incident.title}`,
        incidentId: incident.id,
        // An alarm that nobody has seen: tried until it arrives.
        critical: true,
        traceId: context.traceId,
      });
    addLine(context, {
      incident_id: incident.id,
      text: `${user.name}: no phone showed it${mailed ? '; e-mail sent' : ' and e-mail is not set up'}`,
      data: { user_id: user.id, name: user.name, push: 'undelivered', mailed, reason: input.reason },
    });
    return { mailed };
  },
};

function addLine(context: WriteContext, line: z.infer<typeof InternalIncidentLine>): void {
  addTimeline(context, {
    incidentId: line.incident_id,
    kind: 'notification',
    actor: box,
    text: line.text,
    data: line.data,
    traceId: context.traceId,
  });
}

function requireIncident({ db }: WriteContext, id: string): IncidentRow {
  const incident = readIncident(db, id);
  if (!incident) throw new AppError('not_found', 'There is no such incident.');
  return incident;
}

/** A mail says what the incident is: only to who may see it now. */
function requireReader({ db }: WriteContext, incident: IncidentRow, userId: string): UserRow {
  const user = readUser(db, userId);
  const sees =
    user?.active === 1 &&
    user.org_id === incident.org_id &&
    isGranted(grantsOf(db, user.id), 'incident.read', incidentScopes(db, incident).scopes);
  if (!sees) throw new AppError('unprocessable', 'There is nobody of that id who sees the incident.');
  return user;
}
