/**
 * Calls from pages to the desk. Each channel has a schema and the one origin that may call it, from a main frame; anything
 * else is rejected with a code that says nothing about the inside.
 */
import { z } from 'zod';

export const Severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);
export const ProbeInput = z.string().max(300);
export const AcceptInput = z.object({
  origin: z.string().max(300),
  fingerprint: z.string().max(100).optional(),
  autostart: z.boolean(),
});
export const Nothing = z.undefined();

/** The parts of Electron's event that the check needs. */
export type CallEvent = { senderFrame: { url: string; parent: unknown } | null };
export type IpcPort = {
  handle(channel: string, listener: (event: CallEvent, ...args: unknown[]) => Promise<unknown>): void;
};

export type Handle = <S extends z.ZodType>(
  channel: string,
  schema: S,
  fn: (input: z.output<S>) => unknown,
) => void;

type Refusal = 'wrong_sender' | 'bad_input' | 'failed';
export type OnRefused = (channel: string, why: Refusal, error?: unknown) => void;

/** @returns `handle` for pages that `isAllowed` knows. */
export function createHandle(
  port: IpcPort,
  isAllowed: (url: string) => boolean,
  onRefused: OnRefused,
): Handle {
  const refuse = (channel: string, why: Refusal, error?: unknown): never => {
    onRefused(channel, why, error);
    throw new Error(why);
  };
  return (channel, schema, fn) => {
    port.handle(channel, async (event, ...args) => {
      const frame = event.senderFrame;
      if (frame === null || frame.parent !== null || !isAllowed(frame.url))
        return refuse(channel, 'wrong_sender');
      const parsed = schema.safeParse(args[0]);
      if (!parsed.success || args.length > 1) return refuse(channel, 'bad_input');
      try {
        return await fn(parsed.data);
      } catch (error) {
        return refuse(channel, 'failed', error);
      }
    });
  };
}
