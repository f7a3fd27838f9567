/** What secure talk leaves on an incident: calls that were made from it, and talk that was filed. */
import type { Attachment, IncidentCall, TimelineEntry } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { readUser } from '../identity/store/identity-rows.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { callWords } from './domain/call-words.ts';
import { actOn } from './incident-acts.ts';
import { addAttachment, toAttachment } from './store/attachment-rows.ts';
import { callOf, findTranscript, insertCall, insertTranscript, transcriptCount } from './store/talk.store.ts';
import { addTimeline } from './store/timeline.store.ts';

/** Each is up to some megabytes. A room is filed when its incident ends, and again when talk went on. */
const transcriptsMax = 50;

type Filed = {
  id: string;
  room_id: string;
  device_id: string;
  device_key: string;
  sha256: string;
  body: Uint8Array;
};

export const talkWrites = {
  /** From the caller alone, who is the actor; the same call again is answered with the line of the first time. */
  addIncidentCall: (
    context: WriteContext,
    input: z.infer<typeof IncidentCall> & { id: string },
  ): TimelineEntry => {
    const incident = actOn(context, input.id);
    const { actor } = context;
    if (actor.kind !== 'user') throw new AppError('forbidden', 'Only people make calls.');
    const known = callOf(context.db, incident.org_id, input.call_id);
    if (known) {
      if (known.incident_id === incident.id && known.caller_id === actor.id) return known.entry;
      throw new AppError('conflict', 'This call belongs to another incident or to another caller.');
    }
    const people = calledPeople(context, input.with_user_ids);
    const { call_id, media, outcome, started_at, duration_ms } = input;
    const entry = addTimeline(context, {
      incidentId: incident.id,
      kind: 'call',
      actor,
      text: callWords({ media, outcome, duration_ms, names: people.map((one) => one.name) }),
      data: { call_id, with: people, media, outcome, started_at, duration_ms },
      traceId: context.traceId,
    });
    insertCall(context.db, {
      org_id: incident.org_id,
      call_id,
      incident_id: incident.id,
      caller_id: actor.id,
      timeline_id: entry.id,
    });
    appendAudit(context, {
      actor,
      action: 'incident.called',
      target: `incident:${incident.id}`,
      detail: { number: incident.number, call_id, with_user_ids: people.map((one) => one.id), outcome },
    });
    return entry;
  },

  /** The HTTP thread has checked signature and document. The same file again changes nothing. */
  fileTranscript: (context: WriteContext, input: Filed): z.infer<typeof Attachment> => {
    const incident = actOn(context, input.id);
    const known = findTranscript(context.db, incident.id, input.sha256);
    if (known) return toAttachment(known);
    const n = transcriptCount(context.db, incident.id) + 1;
    if (n > transcriptsMax)
      throw new AppError(
        'unprocessable',
        `The talk of an incident is filed at most ${transcriptsMax} times.`,
      );
    const { device_id, device_key, room_id, sha256 } = input;
    const row = addAttachment(context, incident, {
      name: `talk-transcript-${n}.json`,
      media_type: 'application/json',
      sha256,
      body: input.body,
    });
    insertTranscript(context.db, {
      attachment_id: row.id,
      org_id: incident.org_id,
      incident_id: incident.id,
      n,
      room_id,
      filed_by: context.actor.id,
      device_id,
      device_key,
      sha256,
      filed_ms: context.nowMs,
    });
    addTimeline(context, {
      incidentId: incident.id,
      kind: 'transcript',
      actor: context.actor,
      text: `Talk filed: ${row.name}`,
      data: {
        attachment_id: row.id,
        name: row.name,
        media_type: row.media_type,
        bytes: row.bytes,
        sha256,
        room_id,
        device_id,
        device_key,
      },
      traceId: context.traceId,
    });
    appendAudit(context, {
      actor: context.actor,
      action: 'incident.talk_filed',
      target: `incident:${incident.id}`,
      detail: { number: incident.number, attachment_id: row.id, sha256, room_id, device_id, device_key },
    });
    return toAttachment(row);
  },
};

/** @throws AppError `unprocessable` unless each is somebody of the org, and somebody else. */
function calledPeople(
  { db, actor }: WriteContext,
  ids: readonly string[],
): Array<{ id: string; name: string }> {
  return [...new Set(ids)].map((id) => {
    if (id === actor.id) throw new AppError('unprocessable', 'Nobody calls himself.');
    const user = readUser(db, id);
    if (user?.org_id !== actor.orgId) throw new AppError('unprocessable', 'There is no such user.');
    return { id: user.id, name: user.name };
  });
}
