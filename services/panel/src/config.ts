/** Configuration of the panel service; the only file that reads the environment. */
import { ListenAddress, loadConfig, LogLevel, type Environment, type TlsFiles } from '@siphera/runtime';
import { z } from 'zod';

const Key = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64 (openssl rand -base64 32)');
const Count = z.coerce.number().int().positive();

export const PanelConfig = z.object({
  PANEL_HTTP_LISTEN: ListenAddress.default('127.0.0.1:7082'),
  PANEL_DC09_LISTEN: z
    .string()
    .regex(/^.+:\d{1,5}$/, 'must be host:port')
    .default('0.0.0.0:12000')
    .meta({ description: 'Where panels report, TCP and UDP' }),
  PANEL_METRICS_LISTEN: ListenAddress.default('127.0.0.1:7182'),
  DATA_DIR: z.string().min(1),
  CORE_INTERNAL_URL: z.string().regex(/^(unix:\/|https:\/\/)/, 'must be unix:/path or https://host:port'),
  INTERNAL_CERT_FILE: z.string().optional(),
  INTERNAL_KEY_FILE: z.string().optional(),
  INTERNAL_CA_FILE: z.string().optional(),
  PANEL_KEY: Key.meta({ description: 'Encrypts account keys at rest; give it by PANEL_KEY_FILE' }),
  PANEL_CONNECTIONS_MAX: Count.max(10_000).default(512),
  PANEL_CONNECTIONS_PER_ADDRESS_MAX: Count.max(10_000).default(128),
  PANEL_IDLE_MS: Count.default(30 * 60_000).meta({
    description: 'A silent TCP connection is closed after this',
  }),
  PANEL_PARTIAL_MS: Count.default(10_000).meta({
    description: 'A frame that has begun must end within this',
  }),
  LOG_LEVEL: LogLevel,
});
export type PanelConfig = z.infer<typeof PanelConfig>;

export const readConfig = (env?: Environment): PanelConfig => loadConfig(PanelConfig, env);

/** Files for mTLS to core; undefined over the unix socket. */
export function internalTls(config: PanelConfig): TlsFiles | undefined {
  const { INTERNAL_CERT_FILE: certFile, INTERNAL_KEY_FILE: keyFile, INTERNAL_CA_FILE: caFile } = config;
  return certFile !== undefined && keyFile !== undefined && caFile !== undefined
    ? { certFile, keyFile, caFile }
    : undefined;
}

export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
