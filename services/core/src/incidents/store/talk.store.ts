/** Rows of calls made from incidents and of talk that was filed. */
import type { TimelineEntry } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime/base';
import type { AttachmentRow } from './attachment-rows.ts';
import { toTimelineEntry, type TimelineRow } from './incident-rows.ts';

type CallRow = {
  org_id: string;
  call_id: string;
  incident_id: string;
  caller_id: string;
  timeline_id: string;
};
type TranscriptRow = {
  attachment_id: string;
  org_id: string;
  incident_id: string;
  n: number;
  room_id: string;
  filed_by: string;
  device_id: string;
  device_key: string;
  sha256: string;
  filed_ms: number;
};

/** A call that stands on a timeline of the org already. */
export function callOf(
  db: Sqlite,
  orgId: string,
  callId: string,
): { incident_id: string; caller_id: string; entry: TimelineEntry } | undefined {
  const row = db
    .prepare<[string, string], TimelineRow & { caller_id: string }>(
      `SELECT c.caller_id, t.seq, t.id, t.incident_id, t.at_ms, t.kind, t.actor, t.text, t.data
       FROM incident_calls c JOIN timeline t ON t.id = c.timeline_id WHERE c.org_id = ? AND c.call_id = ?`,
    )
    .get(orgId, callId);
  return row && { incident_id: row.incident_id, caller_id: row.caller_id, entry: toTimelineEntry(row) };
}

export const insertCall = (db: Sqlite, row: CallRow): void => {
  db.prepare(
    `INSERT INTO incident_calls (org_id, call_id, incident_id, caller_id, timeline_id)
     VALUES (@org_id, @call_id, @incident_id, @caller_id, @timeline_id)`,
  ).run(row);
};

export const transcriptCount = (db: Sqlite, incidentId: string): number =>
  db
    .prepare<[string], { n: number }>('SELECT count(*) AS n FROM transcripts WHERE incident_id = ?')
    .get(incidentId)?.n ?? 0;

/** The attachment of a file that was filed before. */
export const findTranscript = (db: Sqlite, incidentId: string, sha256: string): AttachmentRow | undefined =>
  db
    .prepare<[string, string], AttachmentRow>(
      `SELECT a.id, a.org_id, a.incident_id, a.name, a.media_type, a.bytes, a.sha256, a.created_ms, a.created_by
       FROM transcripts t JOIN attachments a ON a.id = t.attachment_id WHERE t.incident_id = ? AND t.sha256 = ?`,
    )
    .get(incidentId, sha256);

export const insertTranscript = (db: Sqlite, row: TranscriptRow): void => {
  db.prepare(
    `INSERT INTO transcripts (attachment_id, org_id, incident_id, n, room_id, filed_by, device_id, device_key, sha256, filed_ms)
     VALUES (@attachment_id, @org_id, @incident_id, @n, @room_id, @filed_by, @device_id, @device_key, @sha256, @filed_ms)`,
  ).run(row);
};
