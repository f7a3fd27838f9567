/** Kamailio's JSON-RPC 2.0 over HTTP (modules xhttp and jsonrpcs), on loopback, opened by a secret. */
import { AppError } from '@siphera/runtime';
import { z } from 'zod';

const callMsMax = 3_000;
const Answer = z.looseObject({
  result: z.unknown().optional(),
  error: z.looseObject({ code: z.int().optional(), message: z.string() }).optional(),
});

/**
 * @returns the `result` of the answer.
 * @throws AppError `unavailable` when Kamailio does not answer, `unprocessable` with its words when it refuses.
 */
export async function callKamailio(
  access: { url: string; secret: string },
  method: string,
  params: readonly (string | number)[] = [],
): Promise<unknown> {
  let text: string;
  try {
    const response = await fetch(access.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-siphera-secret': access.secret,
        // Kamailio closes after each answer; a connection that is used again would be found closed.
        connection: 'close',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, ...(params.length > 0 ? { params } : {}) }),
      signal: AbortSignal.timeout(callMsMax),
    });
    text = await response.text();
    if (response.status === 403) throw new AppError('unavailable', 'Kamailio refuses our secret.');
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError('unavailable', 'The SIP server does not answer.', {
      hint: 'Calls that go on are not touched. See `siphera doctor`.',
      cause: error,
    });
  }
  const { result, error } = Answer.parse(JSON.parse(text));
  if (error) throw new AppError('unprocessable', `The SIP server refuses ${method}: ${error.message}`);
  return result;
}
