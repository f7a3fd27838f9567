/** Structured logs: one line, one event name. Secrets and badge ids are redacted by path here, and by callers not logging them. */
import pino from 'pino';

export type Logger = {
  debug(event: string, fields?: Record<string, unknown>): void;
  info(event: string, fields?: Record<string, unknown>): void;
  warn(event: string, fields?: Record<string, unknown>): void;
  error(event: string, fields?: Record<string, unknown>): void;
  child(fields: Record<string, unknown>): Logger;
};

const secretNames = [
  'token',
  'access_token',
  'refresh_token',
  'password',
  'secret',
  'pin',
  'credential',
  'badge',
  'badge_id',
  'key_hex',
  'authorization',
  'cookie',
  'api_key',
];
/** One-time codes are redacted where we log fields ourselves; deeper, `code` is an error's (ECONNREFUSED), which people need. */
export const redactedPaths = ['code', ...secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])];

export function createLogger(options: {
  service: string;
  level?: 'debug' | 'info' | 'warn' | 'error';
  destination?: { write(line: string): void };
}): Logger {
  const settings: pino.LoggerOptions = {
    level: options.level ?? 'info',
    base: { service: options.service },
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
    serializers: { error: pino.stdSerializers.err },
  };
  return wrap(options.destination ? pino(settings, options.destination) : pino(settings));
}

function wrap(inner: pino.Logger): Logger {
  return {
    debug: (event, fields) => inner.debug(fields ?? {}, event),
    info: (event, fields) => inner.info(fields ?? {}, event),
    warn: (event, fields) => inner.warn(fields ?? {}, event),
    error: (event, fields) => inner.error(fields ?? {}, event),
    child: (fields) => wrap(inner.child(fields)),
  };
}
