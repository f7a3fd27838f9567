/** What can go wrong between a camera and us. */
import { RefusedAddressError } from '../camera-network.ts';
import { NonsenseError, UnreachableError } from './bounded-request.ts';

export type OnvifProblem = 'unreachable' | 'unauthorised' | 'refused' | 'nonsense' | 'forbidden';

/** What went wrong, by kind: who may retry, who has to enter a password, who gives up. */
export class OnvifError extends Error {
  readonly kind: OnvifProblem;

  constructor(kind: OnvifProblem, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** Whatever else is thrown came of an answer that nobody expects. */
export async function asOnvifError<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof OnvifError) throw error;
    if (error instanceof RefusedAddressError)
      throw new OnvifError('forbidden', error.message, { cause: error });
    if (error instanceof UnreachableError)
      throw new OnvifError('unreachable', error.message, { cause: error });
    if (error instanceof NonsenseError) throw new OnvifError('nonsense', error.message, { cause: error });
    throw new OnvifError('nonsense', 'its answer is not what ONVIF says', { cause: error });
  }
}
