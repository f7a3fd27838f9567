/** Attachment and procedure rows, and how the wire shows them. */
import type { Attachment, Procedure } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';

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

export const toProcedure = (row: ProcedureRow): z.infer<typeof Procedure> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  steps: JSON.parse(row.steps) as z.infer<typeof Procedure>['steps'],
  updated_at: toRfc3339(row.updated_ms),
});
