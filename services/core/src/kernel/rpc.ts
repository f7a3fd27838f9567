/** Calls over a message port between core's threads. Expected failures arrive as AppError; anything else as `internal`. */
import type { MessagePort } from 'node:worker_threads';
import { AppError, errorFromWire, errorToWire, type ErrorWire, type Logger } from '@siphera/runtime/base';
import type { Actor } from './actor.ts';

export type CaseCall = {
  name: string;
  actor: Actor;
  traceId: string;
  input: unknown;
  idempotencyKey?: string | undefined;
};
type Request = { id: number; call: CaseCall };
type Reply = { id: number; value?: unknown; error?: ErrorWire };

/** Calls that may be under way on one port; beyond it callers are told to send again. */
const pendingMax = 20_000;

export class RpcClient {
  readonly #port: MessagePort;
  readonly #pending = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: unknown) => void }
  >();
  #next = 1;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (reply: Reply) => {
      const waiting = this.#pending.get(reply.id);
      this.#pending.delete(reply.id);
      if (reply.error) waiting?.reject(errorFromWire(reply.error));
      else waiting?.resolve(reply.value);
    });
  }

  call(call: CaseCall): Promise<unknown> {
    if (this.#pending.size >= pendingMax)
      return Promise.reject(new AppError('overloaded', 'Too many requests are waiting.'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      // Throws for what cannot be handed over; nothing waits for an answer to that.
      this.#port.postMessage({ id, call } satisfies Request);
      this.#pending.set(id, { resolve, reject });
    });
  }
}

export function serveRpc(port: MessagePort, log: Logger, answer: (call: CaseCall) => unknown): void {
  port.on('message', ({ id, call }: Request) => {
    Promise.resolve()
      .then(() => answer(call))
      .then(
        (value) => port.postMessage({ id, value } satisfies Reply),
        (error: unknown) => port.postMessage({ id, error: toWire(error, call, log) } satisfies Reply),
      );
  });
}

function toWire(error: unknown, call: CaseCall, log: Logger): ErrorWire {
  if (error instanceof AppError) return errorToWire(error);
  log.error('case_failed', { error, case: call.name, trace_id: call.traceId });
  return errorToWire(new AppError('internal', 'Look for the trace id in the log.'));
}
