/** Core's environment. The only file of core that reads it. */
import { ListenAddress, LogLevel } from '@siphera/runtime/base';
import { z } from 'zod';

const path = z.string().min(1);

export const configSchema = z.object({
  CORE_HTTP_LISTEN: ListenAddress.default('127.0.0.1:7080').meta({
    description: 'REST and SSE, behind the front door',
  }),
  CORE_INTERNAL_LISTEN: ListenAddress.default('unix:/run/siphera/core.sock').meta({
    description: "Internal API for the box's own services",
  }),
  CORE_INTERNAL_SOCKET: path.startsWith('unix:/').optional().meta({
    description:
      "A second door to it, `unix:/path`, for a service outside of the containers' networks; its directory's group may open it",
  }),
  CORE_METRICS_LISTEN: ListenAddress.default('127.0.0.1:7180').meta({ description: '/metrics and /healthz' }),
  INTERNAL_CERT_FILE: path
    .optional()
    .meta({ description: 'Server certificate of the internal API over TCP (mTLS)' }),
  INTERNAL_KEY_FILE: path.optional(),
  INTERNAL_CA_FILE: path.optional(),
  CORE_ADMIN_KEY_FILE: path.optional().meta({
    description: 'Key by which root proves itself on the internal API: setup codes, resets, the self-test',
  }),
  DATA_DIR: path.default('/var/lib/siphera/core').meta({ description: 'Database and keys' }),
  MQTT_URL: z.url({ protocol: /^mqtts?$/ }).default('mqtts://localhost:8883'),
  MQTT_CERT_FILE: path.meta({ description: 'Client certificate, CN siphera-core' }),
  MQTT_KEY_FILE: path,
  MQTT_CA_FILE: path,
  MQTT_PUBLIC_URL: z
    .url({ protocol: /^mqtts$/ })
    .meta({ description: 'Broker address given to agents at enrolment' }),
  CA_DIR: path.meta({ description: 'Device CA: ca.crt, ca.key; core writes crl.pem' }),
  PUBLIC_HOST_NAME: z
    .string()
    .min(1)
    .max(253)
    .meta({ description: 'Host name of the box: its origin and passkey RP id' }),
  PUBLIC_URLS: z
    .string()
    .default('')
    .meta({ description: 'Comma-separated addresses under which consoles reach the box' }),
  FRONT_CERT_FILE: path.optional().meta({ description: "The front door's certificate, to watch its expiry" }),
  SETUP_CODE_FILE: path
    .optional()
    .meta({ description: 'Where the one-time setup code is written for the installer' }),
  READERS: z.coerce.number().int().min(1).max(8).default(1).meta({ description: 'Read-only worker threads' }),
  LOG_LEVEL: LogLevel,
});

export type Config = z.infer<typeof configSchema>;
