/** Configuration of the SIP bridge; the only file that reads the environment. */
import { ListenAddress, loadConfig, LogLevel, type Environment } from '@siphera/runtime';
import { z } from 'zod';

const Key = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64 (openssl rand -base64 32)');
const HostPort = z.string().regex(/^.+:\d{1,5}$/, 'must be host:port');

export const SipBridgeConfig = z.object({
  SIP_BRIDGE_LISTEN: ListenAddress.default('127.0.0.1:7084').meta({
    description: 'REST, behind the front door',
  }),
  SIP_BRIDGE_METRICS_LISTEN: ListenAddress.default('127.0.0.1:7184').meta({
    description: '/metrics and /healthz',
  }),
  DATA_DIR: z.string().min(1).meta({ description: 'Where sip-bridge.db and spoken alarms lie' }),
  SIP_DIR: z.string().min(1).meta({
    description:
      'Shared with Kamailio: `plan/` is written here, `spool/` by Kamailio, `public/` is served by the front door',
  }),
  SIP_BRIDGE_KEY: Key.meta({
    description:
      '32 bytes in base64 that encrypt passwords of trunks at rest; give it by SIP_BRIDGE_KEY_FILE. Without it they are lost',
  }),
  SIP_DOMAIN: z
    .string()
    .min(1)
    .default('siphera.local')
    .meta({ description: 'SIP domain and realm: the host name of the box' }),
  SIP_SECRET: z.string().min(16).meta({
    description: "Kamailio's secret for softphone credentials; give it by SIP_SECRET_FILE",
  }),
  SIP_WEBSOCKET_URL: z
    .url()
    .default('wss://siphera.local/sip')
    .meta({ description: 'Where softphones connect' }),
  KAMAILIO_RPC_URL: z
    .url()
    .default('http://127.0.0.1:5065/RPC')
    .meta({ description: "Kamailio's JSON-RPC, on loopback" }),
  KAMAILIO_RPC_SECRET: z
    .string()
    .min(16)
    .meta({ description: 'What opens it; give it by KAMAILIO_RPC_SECRET_FILE' }),
  KAMAILIO_EVENTS: HostPort.default('127.0.0.1:5066').meta({ description: "Kamailio's evapi, on loopback" }),
  RTPENGINE_CONTROL: z
    .string()
    .default('a=127.0.0.1:2223,b=127.0.0.1:2233')
    .transform((text) => text.split(',').map((part) => part.split('=') as [string, string]))
    .meta({ description: 'ng addresses of the media relays, name=host:port, comma-separated' }),
  DTMF_LISTEN: HostPort.default('127.0.0.1:5067').meta({
    description: 'UDP: where the media relays report digits (RFC 4733)',
  }),
  SIP_ADDRESS: z
    .string()
    .default('127.0.0.1:5060')
    .meta({ description: 'Where Kamailio takes SIP by UDP, for alarm calls and drills' }),
  MEDIA_ADDRESS: z
    .string()
    .optional()
    .meta({ description: 'Address of this machine that alarm calls speak from' }),
  ALARM_CALLS_ABROAD: z
    .enum(['yes', 'no'])
    .default('no')
    .transform((word) => word === 'yes')
    .meta({ description: 'yes: alarm calls of rules go abroad too, which costs' }),
  CORE_INTERNAL_URL: z
    .string()
    .regex(/^(unix:\/|https:\/\/)/, 'must be unix:/path or https://host:port')
    .meta({ description: '`unix:/path`, or `https://host:port` with the three INTERNAL files' }),
  INTERNAL_CERT_FILE: z.string().optional().meta({ description: 'Client certificate, over https' }),
  INTERNAL_KEY_FILE: z.string().optional().meta({ description: 'Its key' }),
  INTERNAL_CA_FILE: z.string().optional().meta({ description: 'The CA that signed both ends' }),
  ESPEAK: z.string().default('espeak-ng').meta({ description: 'Path of espeak-ng' }),
  LOG_LEVEL: LogLevel,
});
export type SipBridgeConfig = z.infer<typeof SipBridgeConfig>;

export const readConfig = (env?: Environment): SipBridgeConfig => loadConfig(SipBridgeConfig, env);
