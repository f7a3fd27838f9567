/** Attachment and procedure rows, and how the wire shows them. */
import type { Attachment, Procedure } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';
import type { WriteContext } from '../../kernel/transaction.ts';

/** All attachments of one incident: they are in the database, and in its backups. */
const attachmentsBytesMax = 200_000_000;

export type AttachmentRow = {
  id: string;
  org_id: string;
  incident_id: string;
  name: string;
  media_type: string;
  bytes: number;
  sha256: string;
  created_ms: number;
  created_by: string;
};
export type ProcedureRow = { id: string; org_id: string; name: string; steps: string; updated_ms: number };

export const toAttachment = (row: AttachmentRow): z.infer<typeof Attachment> => ({
  id: row.id,
  incident_id: row.incident_id,
  name: row.name,
  media_type: row.media_type,
  bytes: row.bytes,
  sha256: row.sha256,
  created_at: toRfc3339(row.created_ms),
  created_by: row.created_by,
});

/** @throws AppError `payload_too_large` when the incident holds no more. */
export function addAttachment(
  context: Pick<WriteContext, 'db' | 'random' | 'nowMs' | 'actor'>,
  incident: { id: string; org_id: string },
  file: { name: string; media_type: string; sha256: string; body: Uint8Array },
): AttachmentRow {
  const { db } = context;
  const used =
    db
      .prepare<[string], { bytes: number | null }>(
        'SELECT sum(bytes) AS bytes FROM attachments WHERE incident_id = ?',
      )
      .get(incident.id)?.bytes ?? 0;
  if (used + file.body.byteLength > attachmentsBytesMax)
    throw new AppError('payload_too_large', 'The incident has as many attachments as it can hold (200 MB).');
  const row: AttachmentRow = {
    id: context.random.uuid(),
    org_id: incident.org_id,
    incident_id: incident.id,
    name: file.name === '' ? 'attachment' : file.name,
    media_type: file.media_type,
    bytes: file.body.byteLength,
    sha256: file.sha256,
    created_ms: context.nowMs,
    created_by: context.actor.name,
  };
  db.prepare(
    `INSERT INTO attachments (id, org_id, incident_id, name, media_type, bytes, sha256, created_ms, created_by, body)
     VALUES (@id, @org_id, @incident_id, @name, @media_type, @bytes, @sha256, @created_ms, @created_by, @body)`,
  ).run({ ...row, body: Buffer.from(file.body) });
  return row;
}

export const toProcedure = (row: ProcedureRow): z.infer<typeof Procedure> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  steps: JSON.parse(row.steps) as z.infer<typeof Procedure>['steps'],
  updated_at: toRfc3339(row.updated_ms),
});
