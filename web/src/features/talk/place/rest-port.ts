/** The talk routes through the console's own client: its token, its renewal, its errors. */
import type { TalkRest } from '@siphera/talk';
import { api, apiBlob, type OperationId } from '#api/client.ts';
import { asApiError } from '#api/problem.ts';

/** 25 MB, the largest file, over a slow phone link. */
const fileMsMax = 300_000;
/** A backup or a large set of keys is more than the 15 s of other calls on such a link. */
const callMsMax = 60_000;

/** As the engine reads it: `status` 0 when the box was not reached, and what the problem says besides (`missing`, `gone`). */
class TalkRestError extends Error {
  readonly code: string;
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(thrown: unknown) {
    const { code, message, problem } = asApiError(thrown);
    super(message, { cause: thrown });
    this.name = 'TalkRestError';
    this.code = code;
    this.status = problem.status;
    this.problem = problem;
    // A refusal of devices names them beside its code.
    const { missing, gone } = problem;
    Object.assign(this, missing === undefined ? {} : { missing }, gone === undefined ? {} : { gone });
  }
}

/** The engine names routes by strings; which there are is the contract's, and the client's table refuses others. */
type AnyCall = (route: OperationId, args: Record<string, unknown>) => Promise<unknown>;

export const browserRest: TalkRest = {
  call: async (route, args = {}) =>
    told((api as unknown as AnyCall)(route as OperationId, { ...args, timeoutMs: callMsMax })),
  upload: async (query, bytes) =>
    told(
      api('uploadTalkFile', {
        query,
        file: new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }),
        timeoutMs: fileMsMax,
      }),
    ),
  download: async (id) =>
    told(
      apiBlob('getTalkFile', { params: { id }, timeoutMs: fileMsMax }).then(
        async (blob) => new Uint8Array(await blob.arrayBuffer()),
      ),
    ),
};

async function told<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    throw new TalkRestError(thrown);
  }
}
