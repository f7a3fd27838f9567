/** Configuration of the camera service; the only file that reads the environment. */
import { ListenAddress, loadConfig, LogLevel, type Environment } from '@siphera/runtime';
import { z } from 'zod';

const Key = z
  .string()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64 (openssl rand -base64 32)');
const PortRange = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/, 'must be first-last')
  .transform((text) => {
    const [first = 0, last = 0] = text.split('-').map(Number);
    return { first, last };
  })
  .refine(({ first, last }) => first > 0 && last > first && last <= 65_535, 'must be an ascending range');

export const CameraConfig = z.object({
  CAMERA_HTTP_LISTEN: ListenAddress.default('127.0.0.1:7083').meta({
    description: 'REST, live and playback',
  }),
  CAMERA_METRICS_LISTEN: ListenAddress.default('127.0.0.1:7183').meta({
    description: '/metrics and /healthz',
  }),
  CAMERA_RTSP_LISTEN: z
    .string()
    .regex(/^.+:\d{1,5}$/, 'must be host:port')
    .optional()
    .meta({ description: 'RTSP re-stream for links of kind rtsp, host:port; unset: there is none' }),
  PUBLIC_HOST_NAME: z.string().default('siphera.local').meta({ description: 'Name of the box in links' }),
  PUBLIC_URL: z
    .url()
    .default('https://siphera.local')
    .meta({ description: 'Origin of the front door, for links' }),
  DATA_DIR: z.string().min(1).meta({ description: 'Where camera.db, exports and stills lie' }),
  RECORDINGS_DIR: z.string().min(1).meta({ description: 'The first storage, made at the first start' }),
  STORAGE_ROOTS: z
    .string()
    .default('/var/lib/siphera-footage,/mnt,/srv')
    .transform((text) => text.split(',').filter((root) => root !== ''))
    .meta({ description: 'Directories below which an admin may add further storages, separated by commas' }),
  CORE_INTERNAL_URL: z
    .string()
    .regex(/^(unix:\/|https:\/\/)/, 'must be unix:/path or https://host:port')
    .meta({ description: '`unix:/path`, or `https://host:port` with the three INTERNAL files' }),
  INTERNAL_CERT_FILE: z.string().optional().meta({ description: 'Client certificate, over https' }),
  INTERNAL_KEY_FILE: z.string().optional().meta({ description: 'Its key' }),
  INTERNAL_CA_FILE: z.string().optional().meta({ description: 'The CA that signed both ends' }),
  CAMERA_KEY: Key.meta({
    description:
      '32 bytes in base64 that encrypt the camera passwords at rest; give it by CAMERA_KEY_FILE. Without it they are lost',
  }),
  EVIDENCE_KEY_FILE: z
    .string()
    .optional()
    .meta({ description: 'Ed25519 key (PKCS#8 PEM) that signs exports; made in DATA_DIR when unset' }),
  RTP_PORTS: PortRange.prefault('21000-21999').meta({ description: 'Loopback ports from ffmpeg to Janus' }),
  JANUS_URL: z
    .string()
    .regex(/^wss?:\/\//, 'must be ws://host:port')
    .optional()
    .meta({ description: 'WebSocket of the Janus of cameras; unset: live view by fMP4 alone' }),
  JANUS_SECRET: z
    .string()
    .min(16)
    .optional()
    .meta({ description: 'Its api_secret; give it by JANUS_SECRET_FILE' }),
  DISCOVERY_ADDRESSES: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((address) => address !== ''))
    .meta({ description: 'Own addresses from which WS-Discovery probes go out; empty: every interface' }),
  CAMERA_ALLOW_LOOPBACK: z
    .enum(['0', '1'])
    .default('0')
    .transform((text) => text === '1')
    .meta({ description: '1: cameras may be on this machine itself. For tests and development alone' }),
  FFMPEG: z.string().default('ffmpeg').meta({ description: 'Path of ffmpeg' }),
  LOG_LEVEL: LogLevel,
});
export type CameraConfig = z.infer<typeof CameraConfig>;

export const readConfig = (env?: Environment): CameraConfig => loadConfig(CameraConfig, env);
