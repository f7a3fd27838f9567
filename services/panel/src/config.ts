/** Configuration of the panel service; the only file that reads the environment. */
import { ListenAddress, loadConfig, LogLevel, type Environment } from '@siphera/runtime';
import { z } from 'zod';

const Key = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64 (openssl rand -base64 32)');
const Count = z.coerce.number().int().positive();

export const PanelConfig = z.object({
  PANEL_HTTP_LISTEN: ListenAddress.default('127.0.0.1:7082').meta({ description: 'REST' }),
  PANEL_DC09_LISTEN: z
    .string()
    .regex(/^.+:\d{1,5}$/, 'must be host:port')
    .default('0.0.0.0:12000')
    .meta({ description: 'Where panels report, TCP and UDP' }),
  PANEL_METRICS_LISTEN: ListenAddress.default('127.0.0.1:7182').meta({
    description: '/metrics and /healthz',
  }),
  DATA_DIR: z.string().min(1).meta({ description: 'Where panel.db lies' }),
  CORE_INTERNAL_URL: z
    .string()
    .regex(/^(unix:\/|https:\/\/)/, 'must be unix:/path or https://host:port')
    .meta({ description: '`unix:/path`, or `https://host:port` with the three INTERNAL files' }),
  INTERNAL_CERT_FILE: z.string().optional().meta({ description: 'Client certificate, over https' }),
  INTERNAL_KEY_FILE: z.string().optional().meta({ description: 'Its key' }),
  INTERNAL_CA_FILE: z.string().optional().meta({ description: 'The CA that signed both ends' }),
  PANEL_KEY: Key.meta({
    description:
      '32 bytes in base64 that encrypt the account keys at rest; give it by PANEL_KEY_FILE. Without it they are lost',
  }),
  PANEL_CONNECTIONS_MAX: Count.max(10_000).default(512).meta({
    description: 'Above it the longest idle connection makes room',
  }),
  PANEL_CONNECTIONS_PER_ADDRESS_MAX: Count.max(10_000).default(128).meta({
    description: 'The same for one address',
  }),
  PANEL_IDLE_MS: Count.default(30 * 60_000).meta({
    description: 'Milliseconds after which a silent TCP connection is closed',
  }),
  PANEL_PARTIAL_MS: Count.default(10_000).meta({
    description: 'Milliseconds within which a frame that has begun must end',
  }),
  LOG_LEVEL: LogLevel,
});
export type PanelConfig = z.infer<typeof PanelConfig>;

export const readConfig = (env?: Environment): PanelConfig => loadConfig(PanelConfig, env);

export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
