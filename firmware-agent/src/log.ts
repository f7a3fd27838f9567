/** One JSON line an event on stderr. Event data is never logged: it may carry badge ids. */
import { type Clock, toRfc3339 } from './domain/clock.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export type Log = Record<LogLevel, (event: string, fields?: Record<string, unknown>) => void>;

export function createLog(options: {
  clock: Clock;
  level: LogLevel;
  write: (line: string) => void;
  name?: string;
}): Log {
  const threshold = logLevels.indexOf(options.level);
  const at =
    (level: LogLevel) =>
    (event: string, fields: Record<string, unknown> = {}): void => {
      if (logLevels.indexOf(level) < threshold) return;
      const head = { time: toRfc3339(options.clock.now()), level, name: options.name ?? 'agent', event };
      options.write(`${JSON.stringify({ ...head, ...fields })}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** An error as log fields: its message and the messages behind it, no stack. */
export function errorFields(error: unknown): { error: string } {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 5; at = at.cause)
    parts.push(at.message);
  return { error: parts.length > 0 ? parts.join(': ') : String(error) };
}
