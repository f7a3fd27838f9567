/** What HTTP handlers see of the box: named use cases, run by the writer or by a reader, typed by their own functions. */
import type { Actor } from './actor.ts';
import type { RpcClient } from './rpc.ts';
import type { ReadCase, WriteCase } from './transaction.ts';

// `any` only as a bound: each case keeps its own input and output types.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Cases<C> = { [K in keyof C]: C[K] extends WriteCase<any, any> | ReadCase<any, any> ? C[K] : never };
type Input<F> = F extends (context: never, input: infer I) => unknown ? I : never;
type Output<F> = F extends (context: never, input: never) => infer O ? O : never;

export type CallContext = { actor: Actor; traceId: string; idempotencyKey?: string | undefined };

export class Box<W extends Cases<W>, R extends Cases<R>> {
  readonly #writer: RpcClient;
  readonly #readers: readonly RpcClient[];
  #turn = 0;

  constructor(writer: RpcClient, readers: readonly RpcClient[]) {
    this.#writer = writer;
    this.#readers = readers;
  }

  /** Resolves after the commit. */
  write<K extends keyof W & string>(
    name: K,
    context: CallContext,
    input: Input<W[K]>,
  ): Promise<Output<W[K]>> {
    return this.#writer.call({ name, input, ...context }) as Promise<Output<W[K]>>;
  }

  read<K extends keyof R & string>(name: K, context: CallContext, input: Input<R[K]>): Promise<Output<R[K]>> {
    const reader = this.#readers[this.#turn++ % this.#readers.length];
    if (!reader) throw new Error('There is no reader thread');
    return reader.call({ name, input, ...context }) as Promise<Output<R[K]>>;
  }
}
