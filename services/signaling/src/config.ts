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

export const configSchema = z.object({
  SIGNALING_LISTEN: ListenAddress.meta({ description: 'The socket, behind the front door' }),
  SIGNALING_METRICS_LISTEN: ListenAddress.meta({ description: '/metrics and /healthz' }),
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

export const readConfig = (): Config => loadConfig(configSchema);
