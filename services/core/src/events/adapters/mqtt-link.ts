/**
 * Core's connection to the broker. mqtt.js hands over one message at a time and acknowledges it at once; here the
 * acknowledgement (PUBACK) is held back until the commit that made the message durable, without holding up the next
 * message, so that one commit serves all that came in one turn. This file is the only one that knows how (see its
 * contract test): it leans on `_sendPacket`, which is why mqtt is pinned.
 */
import { readFileSync } from 'node:fs';
import type { Logger } from '@siphera/runtime/base';
import mqtt, { type IPublishPacket, type MqttClient } from 'mqtt';
import { makePacketNumbersOnDemand } from './packet-numbers.ts';

/** Fixed, so that the broker keeps our queue while we are away. */
const clientId = 'siphera-core';
const reconnectMs = 500;

export type BrokerMessage = {
  topic: string;
  payload: Buffer;
  retain: boolean;
  dup: boolean;
  qos: number;
  acknowledge: () => void;
};
export type MqttLinkOptions = {
  url: string;
  certFile?: string | undefined;
  keyFile?: string | undefined;
  caFile?: string | undefined;
  topics: readonly string[];
  log: Logger;
  onConnect(): void;
  /** Called for each message, in order. `acknowledge` must be called once its commit is done; a QoS 0 message has none to send. */
  onMessage(message: BrokerMessage): void;
};

type Packet = { cmd: string; messageId?: number };
type Internals = {
  _sendPacket: (packet: Packet, done?: (error?: Error) => void, ...rest: unknown[]) => unknown;
};

export class MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #client: MqttClient;
  /** PUBACKs that wait for their commit, by message id, of the present connection only. */
  readonly #held = new Map<number, Packet>();
  #connection = 0;
  #started = false;
  #stopped = false;

  constructor(options: MqttLinkOptions) {
    this.#options = options;
    const { url, certFile, keyFile, caFile } = options;
    makePacketNumbersOnDemand();
    this.#client = mqtt.connect(url, {
      clientId,
      clean: false,
      protocolVersion: 4,
      keepalive: 15,
      reconnectPeriod: reconnectMs,
      resubscribe: false,
      // Commands are short-lived; one that waits in a queue for the broker must not open a door later.
      queueQoSZero: false,
      manualConnect: true,
      ...(certFile ? { cert: readFileSync(certFile) } : {}),
      ...(keyFile ? { key: readFileSync(keyFile) } : {}),
      ...(caFile ? { ca: readFileSync(caFile) } : {}),
    });
    this.#holdAcknowledgements();
    this.#client.on('connect', () => this.#onConnect());
    this.#client.on('close', () => {
      // A new connection numbers anew and gets everything unacknowledged again.
      this.#connection += 1;
      this.#held.clear();
      this.#early.clear();
    });
    let failing = false;
    this.#client.on('error', (error) => {
      if (!failing) options.log.warn('broker_error', { error });
      failing = true;
    });
    this.#client.on('connect', () => {
      failing = false;
    });
    this.#client.on('message', (topic, payload, packet) => this.#onMessage(topic, payload, packet));
  }

  start(): void {
    this.#started = true;
    this.#client.connect();
  }

  connected(): boolean {
    return this.#client.connected;
  }

  /** QoS 1, but not kept for later: false when the broker is not there now. */
  publish(topic: string, payload: string, retain: boolean): boolean {
    if (!this.#client.connected) return false;
    this.#client.publish(topic, payload, { qos: 1, retain }, (error) => {
      if (error) this.#options.log.warn('publish_failed', { topic, error });
    });
    return true;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    // mqtt.js cannot end a client that never connected: it has no stream to close.
    if (!this.#started) return;
    // Ended while it connects, it would still tell of that connection: us, and itself, where it then fails.
    this.#client.removeAllListeners('connect');
    await this.#client.endAsync(true);
  }

  #onConnect(): void {
    // 40-byte acknowledgements must not wait 40 ms for Nagle's algorithm (2.5 → 0.4 ms measured).
    (this.#client.stream as unknown as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
    this.#options.log.info('broker_connected');
    this.#options.onConnect();
    this.#client.subscribe([...this.#options.topics], { qos: 1 }, (error) => {
      if (error) this.#options.log.error('subscribe_failed', { error });
    });
  }

  #onMessage(topic: string, payload: Buffer, packet: IPublishPacket): void {
    // Unacknowledged, so the broker keeps it for the next start.
    if (this.#stopped) return;
    const connection = this.#connection;
    const { messageId } = packet;
    let acknowledged = false;
    this.#options.onMessage({
      topic,
      payload,
      retain: packet.retain,
      dup: packet.dup,
      qos: packet.qos,
      acknowledge: () => {
        // Once only: a second call would let the PUBACK of a later message with this id pass before its commit.
        if (acknowledged || messageId === undefined || connection !== this.#connection) return;
        acknowledged = true;
        this.#release(messageId);
      },
    });
  }

  #release(messageId: number): void {
    const packet = this.#held.get(messageId);
    if (!packet) {
      // Committed before mqtt.js came to its PUBACK: let that one pass.
      this.#early.add(messageId);
      return;
    }
    this.#held.delete(messageId);
    this.#send(packet);
  }

  readonly #early = new Set<number>();
  #send: (packet: Packet) => void = () => undefined;

  #holdAcknowledgements(): void {
    const internals = this.#client as unknown as Internals;
    const original = internals._sendPacket.bind(this.#client);
    this.#send = (packet) => void original(packet);
    internals._sendPacket = (packet, done, ...rest) => {
      if (packet.cmd !== 'puback' || packet.messageId === undefined) return original(packet, done, ...rest);
      if (this.#early.delete(packet.messageId)) return original(packet, done, ...rest);
      this.#held.set(packet.messageId, packet);
      // mqtt.js goes on with the next message when this is called.
      done?.();
      return undefined;
    };
  }
}
