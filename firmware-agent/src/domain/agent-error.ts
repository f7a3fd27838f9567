/** Every failure the agent expects, by a code that drivers and logs can rely on. */
export type AgentErrorCode =
  | 'config_invalid'
  | 'not_enrolled'
  | 'identity_invalid'
  | 'box_untrusted'
  | 'box_unreachable'
  | 'enrolment_refused'
  | 'event_invalid'
  | 'event_too_big'
  | 'unknown_device'
  | 'queue_busy'
  | 'queue_full'
  | 'queue_failed'
  | 'queue_closed'
  | 'queue_in_use'
  | 'usage';

export class AgentError extends Error {
  readonly code: AgentErrorCode;
  constructor(code: AgentErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'AgentError';
    this.code = code;
  }
}
