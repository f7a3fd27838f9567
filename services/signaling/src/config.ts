/** Configuration of signaling. The only file that reads the environment. */
import { ListenAddress, loadConfig, LogLevel } from '@siphera/runtime';
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

const Schema = z.object({
  SIGNALING_LISTEN: ListenAddress,
  SIGNALING_METRICS_LISTEN: ListenAddress,
  /** `unix:/path`, or `https://host:port` with the three INTERNAL files. */
  CORE_INTERNAL_URL: z.string().min(1),
  INTERNAL_CERT_FILE: z.string().optional(),
  INTERNAL_KEY_FILE: z.string().optional(),
  INTERNAL_CA_FILE: z.string().optional(),
  PUBLIC_ORIGINS: Origins,
  /** Sockets at once; an idle one costs some 30 kB. */
  SOCKETS_MAX: z.coerce.number().int().min(1).max(1_900).default(1_000),
  /** A guard with several windows and a phone stays far below. */
  SOCKETS_PER_USER_MAX: z.coerce.number().int().min(1).default(20),
  LOG_LEVEL: LogLevel,
});

export type Config = z.infer<typeof Schema>;

export const readConfig = (): Config => loadConfig(Schema);
