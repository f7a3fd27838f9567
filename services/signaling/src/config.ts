/** Configuration of signaling. The only file that reads the environment. */
import { ListenAddress, loadConfig, LogLevel, type Environment } from '@siphera/runtime';
import { z } from 'zod';

/** Origins of the front door, `https://host[:port]`, comma separated. */
const Origins = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((origin) => origin.trim())
      .filter((origin) => origin !== ''),
  )
  .pipe(z.array(z.url({ protocol: /^https?$/ }).transform((url) => new URL(url).origin)).min(1));

const Key = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64 (openssl rand -base64 32)');

/** `turn:` and `turns:` URIs (RFC 7065), comma separated. */
const TurnUris = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((uri) => uri.trim())
      .filter((uri) => uri !== ''),
  )
  .pipe(
    z.array(
      z.string().regex(/^turns?:[^\s?]+(\?transport=(udp|tcp))?$/, 'must be turn:host:port?transport=…'),
    ),
  );

const Bytes = z.coerce.number().int().nonnegative();

/** Hosts of push services besides the known ones, `host` or `host:port`, comma separated. */
const PushHosts = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
  )
  .pipe(z.array(z.string().regex(/^(\[[0-9a-f:]+\]|[\w.-]+)(:\d{1,5})?$/i, 'must be host or host:port')));

export const configSchema = z.object({
  SIGNALING_LISTEN: ListenAddress.meta({ description: 'REST of talk and the socket, behind the front door' }),
  SIGNALING_METRICS_LISTEN: ListenAddress.meta({ description: '/metrics and /healthz' }),
  DATA_DIR: z.string().min(1).meta({ description: 'Where signaling.db and encrypted files lie' }),
  SIGNALING_KEY: Key.meta({
    description:
      "32 bytes in base64 that encrypt the box's half of the store keys at rest; give it by SIGNALING_KEY_FILE. Without it no device opens",
  }),
  CORE_INTERNAL_URL: z
    .string()
    .min(1)
    .meta({ description: '`unix:/path`, or `https://host:port` with the three INTERNAL files' }),
  INTERNAL_CERT_FILE: z.string().optional().meta({ description: 'Client certificate, over https' }),
  INTERNAL_KEY_FILE: z.string().optional().meta({ description: 'Its key' }),
  INTERNAL_CA_FILE: z.string().optional().meta({ description: 'The CA that signed both ends' }),
  PUBLIC_ORIGINS: Origins.meta({
    description: 'Origins of the front door, comma-separated; pages of others are refused',
  }),
  TURN_URIS: TurnUris.prefault('').meta({
    description:
      'Where phones and browsers reach the relay, comma-separated `turn:` and `turns:` URIs; unset: there is none',
  }),
  TURN_SECRET: z
    .string()
    .min(16)
    .optional()
    .meta({ description: "coturn's `static-auth-secret`; give it by TURN_SECRET_FILE" }),
  TALK_KEEP_DAYS: z.coerce.number().int().min(1).max(3_650).default(90).meta({
    description: 'Days that events of rooms and files are kept; those of an incident as long after its end',
  }),
  TALK_FILES_BYTES_MAX: Bytes.default(20 * 1024 ** 3).meta({
    description: 'Encrypted files of everybody together, in bytes',
  }),
  TALK_FILES_PER_USER_BYTES_MAX: Bytes.default(2 * 1024 ** 3).meta({
    description: 'Encrypted files of one person, in bytes',
  }),
  TALK_DISK_RESERVE_BYTES: Bytes.default(2 * 1024 ** 3).meta({
    description:
      'Free disk below which talk takes no messages and files: it is left to alarms and recordings',
  }),
  PUSH_ALLOW_HOSTS: PushHosts.prefault('').meta({
    description:
      'Push services of your own besides the known ones, comma-separated `host` or `host:port`; they may be inside the building',
  }),
  PUSH_CONTACT: z
    .string()
    .regex(/^(mailto:.+|https:\/\/.+)$/, 'must be mailto:… or https://…')
    .optional()
    .meta({
      description:
        'Whom a push service writes to when this box misbehaves (VAPID); unset: the first of PUBLIC_ORIGINS',
    }),
  PUSH_CA_FILE: z
    .string()
    .optional()
    .meta({ description: 'A further CA (PEM) for push services of your own' }),
  SOCKETS_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_900)
    .default(1_000)
    .meta({ description: 'Sockets at once; an idle one costs some 30 kB' }),
  SOCKETS_PER_USER_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .default(20)
    .meta({ description: 'A guard with several windows and a phone stays far below' }),
  LOG_LEVEL: LogLevel,
});

export type Config = z.infer<typeof configSchema>;

export const readConfig = (env?: Environment): Config => loadConfig(configSchema, env);
