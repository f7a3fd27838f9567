/** What a failed call of the server means for what was to be sent. */
import { TalkError } from '../api.ts';

export type Failure =
  /** Not reached, or busy: later. */
  | 'later'
  /** Devices or members are others than was known: look anew, encrypt anew. */
  | 'conflict'
  /** This session has not proved to be the device. */
  | 'unattached'
  | 'not_found'
  /** The device was removed. */
  | 'gone'
  /** Will not be taken however often it is sent. */
  | 'refused';

const fields = (error: unknown): { code?: unknown; status?: unknown } =>
  typeof error === 'object' && error !== null ? error : {};

export function failureOf(error: unknown): Failure {
  const { code, status } = fields(error);
  if (code === 'conflict') return 'conflict';
  if (code === 'gone') return 'gone';
  if (code === 'not_found' || status === 404) return 'not_found';
  if (code === 'forbidden' || status === 403) return 'unattached';
  // No space will come by itself: the person is told, and what waits behind it goes on.
  if (code === 'quota' || code === 'disk_full') return 'refused';
  // 401: the port renews the session and the next try has it. 408, 425, 429: the server asks for patience.
  if (typeof status === 'number' && status >= 400 && status < 500)
    return [401, 408, 409, 425, 429].includes(status) ? (status === 409 ? 'conflict' : 'later') : 'refused';
  return 'later';
}

export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** For whoever waits for an answer: offline and refusals told apart. */
export function asTalkError(error: unknown): TalkError {
  if (error instanceof TalkError) return error;
  const code = fields(error).code;
  if (code === 'quota' || code === 'disk_full')
    return new TalkError('quota', wordsOf(error), { cause: error });
  if (code === 'payload_too_large') return new TalkError('too_large', wordsOf(error), { cause: error });
  return typeof fields(error).status === 'number' && failureOf(error) === 'later'
    ? new TalkError('offline', 'The server is not reached', { cause: error })
    : new TalkError('refused', wordsOf(error), { cause: error });
}
