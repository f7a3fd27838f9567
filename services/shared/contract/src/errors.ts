/**
 * Every error code that leaves a Siphera process, with its HTTP status and the hint a reader gets.
 * On the wire an error is RFC 9457 problem+json: `{type, title, status, code, detail, hint, …extra}`.
 */
import { z } from 'zod';

export const errorCodes = {
  validation_failed: { status: 400, title: 'The request does not fit its schema' },
  malformed_body: { status: 400, title: 'The body could not be read' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  bad_credentials: { status: 401, title: 'The e-mail address or the password is wrong' },
  session_expired: { status: 401, title: 'The session has ended' },
  csrf_rejected: { status: 403, title: 'The request did not come from the console' },
  forbidden: { status: 403, title: 'Your role does not allow this here' },
  setup_code_wrong: { status: 403, title: 'The setup code is wrong or was already used' },
  enrolment_code_wrong: { status: 403, title: 'The enrolment code is wrong, expired or already used' },
  not_found: { status: 404, title: 'There is no such thing, or you may not see it' },
  method_not_allowed: { status: 405, title: 'This address does not take that method' },
  conflict: { status: 409, title: 'It was changed in the meantime' },
  already_done: { status: 409, title: 'Someone else was first' },
  in_use: { status: 409, title: 'It is still in use' },
  duplicate: { status: 409, title: 'It already exists' },
  idempotency_mismatch: { status: 409, title: 'The idempotency key was used for another request' },
  setup_done: { status: 409, title: 'The box is already set up' },
  gone: { status: 410, title: 'It is no longer kept' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  quota: { status: 413, title: 'Your space on the box is used up' },
  unsupported_media: { status: 415, title: 'That kind of content is not taken here' },
  unprocessable: { status: 422, title: 'The request is well formed but cannot be done' },
  target_refused: { status: 422, title: 'That address must not be called from the box' },
  too_many_attempts: { status: 429, title: 'Too many attempts; wait and try again' },
  rate_limited: { status: 429, title: 'Too many requests; wait and try again' },
  internal: { status: 500, title: 'Something failed inside the box' },
  overloaded: { status: 503, title: 'The box is taking as much as it can; send it again' },
  disk_full: { status: 507, title: 'The disk is full; nothing was stored' },
  unavailable: { status: 503, title: 'A part of the box is not running' },
  device_unavailable: { status: 503, title: 'The device cannot be reached' },
  timeout: { status: 504, title: 'The answer did not come in time' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorCodes;

export const Problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]]),
  detail: z.string().optional().meta({ description: 'What happened, for a person' }),
  hint: z.string().optional().meta({ description: 'What to do about it' }),
  trace_id: z.string().optional(),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .optional()
    .meta({ description: 'One row per field that failed' }),
});
export type Problem = z.infer<typeof Problem>;
