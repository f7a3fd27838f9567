/**
 * One connection to the broker, from connect to loss. There is no session and no resending in here: what was not
 * committed is sent again by the uplink, from the disk, in order.
 */
import { TLSSocket } from 'node:tls';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { type DeviceLeaf, deviceTopic } from '@siphera/contract';
import type { Identity } from '../enrol/identity.ts';

/** The broker notices a dead agent after one and a half of these; the last will goes out then. */
const keepaliveSeconds = 10;
const connectMsMax = 10_000;
/** How long a stop waits for the broker to take the last words. */
const endMsMax = 2_000;

export type Link = {
  /** Resolves when the broker has it; rejects when it refused or the connection was lost. */
  publish(leaf: DeviceLeaf, body: unknown, options?: { retain?: boolean }): Promise<void>;
  /** Fire and forget: telemetry that is lost is replaced by the next. */
  publishLoose(leaf: DeviceLeaf, body: unknown): void;
  /** Resolves once the connection is gone. */
  readonly closed: Promise<void>;
  /** Says goodbye: the broker keeps the last will to itself. */
  end(): Promise<void>;
  /** Drops the connection without a word, as a pulled cable does: the last will goes out. */
  cut(): void;
};
export type LinkOptions = {
  identity: Identity;
  url: string;
  onMessage: (leaf: DeviceLeaf, payload: Buffer) => void;
};

const heard = ['ack', 'command', 'twin'] as const;

/** Connects, subscribes, and gives the link; rejects when any of it fails. */
export async function openLink(options: LinkOptions): Promise<Link> {
  const { identity } = options;
  const topic = (leaf: DeviceLeaf) => deviceTopic(identity.orgId, identity.deviceId, leaf);
  const client = mqtt.connect(options.url, clientOptions(identity, topic('state')));
  const closed = new Promise<void>((resolve) => {
    client.once('close', () => {
      client.end(true);
      resolve();
    });
  });
  client.on('message', (name, payload) => {
    const leaf = heard.find((candidate) => topic(candidate) === name);
    if (leaf) options.onMessage(leaf, payload);
  });
  await connected(client);
  await client.subscribeAsync(heard.map(topic), { qos: 1 });
  return {
    publish: async (leaf, body, { retain = false } = {}) => {
      await client.publishAsync(topic(leaf), JSON.stringify(body), { qos: 1, retain });
    },
    publishLoose: (leaf, body) => {
      client.publish(topic(leaf), JSON.stringify(body), { qos: 0 });
    },
    closed,
    end: () => end(client),
    cut: () => client.stream.destroy(),
  };
}

function clientOptions(identity: Identity, stateTopic: string): IClientOptions {
  return {
    // MQTT 5: the broker says why when it refuses a publish, instead of dropping it in silence.
    protocolVersion: 5,
    clientId: identity.deviceId,
    clean: true,
    reconnectPeriod: 0,
    resubscribe: false,
    keepalive: keepaliveSeconds,
    connectTimeout: connectMsMax,
    key: identity.keyPem,
    cert: identity.certificatePem,
    ca: identity.caPem,
    rejectUnauthorized: true,
    will: {
      topic: stateTopic,
      payload: Buffer.from(JSON.stringify({ online: false })),
      qos: 1,
      retain: true,
    },
  };
}

/** mqtt.js never sets TCP_NODELAY, which costs two milliseconds an event; the first error before the connect ends it. */
function connected(client: MqttClient): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      client.end(true);
      reject(error);
    };
    client.once('connect', () => {
      if (client.stream instanceof TLSSocket) client.stream.setNoDelay(true);
      client.off('close', lost);
      resolve();
    });
    const lost = (): void => fail(new Error('The connection was closed'));
    client.once('close', lost);
    // Errors after the connect show as a close, which the link's owner waits for.
    client.on('error', fail);
  });
}

async function end(client: MqttClient): Promise<void> {
  const timer = setTimeout(() => client.end(true), endMsMax);
  await client.endAsync();
  clearTimeout(timer);
}
