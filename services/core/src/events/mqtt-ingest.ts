/**
 * Messages of agents → one job for all that came in one turn → commit → our own acknowledgement and the broker's.
 * When a commit fails (disk full), the messages are held and tried again: the broker's window fills, then the agents'
 * own, and nothing is lost.
 */
import type { AgentAck } from '@siphera/contract';
import {
  AgentCommandResult,
  AgentEvent,
  AgentState,
  deviceTopic,
  eventBytesMax,
  parseDeviceTopic,
  type DeviceLeaf,
} from '@siphera/contract/base';
import { AppError, isTooDeep, type Logger } from '@siphera/runtime/base';
import type { Tx } from '../kernel/transaction.ts';
import { isStorageFailure, isWorthRepeating, type Writer } from '../kernel/writer.ts';
import type { WriterDeps } from '../writer-deps.ts';
import type { BrokerMessage } from './adapters/mqtt-link.ts';
import type { DeadCode } from './arrival.ts';
import { storeDeadLetter } from './dead-letter-store.ts';
import type { Ingest } from './ingest.ts';
import { DeviceStreams } from './store/device-streams.ts';

/** Messages in one commit. */
const batchMax = 500;
const retryMs = 1_000;
/** What had waited is through after this. */
const settleMs = 15_000;
/**
 * Bytes that wait before messages without a guarantee (QoS 0) are dropped. The broker's window bounds those with one; these
 * it hands on without end, and while nothing can be stored they would fill the memory.
 */
const waitingBytesMax = 32 * 1024 * 1024;
/** Made once: zod compiles a schema at its first use, and that costs more than handling the message. */
const QueuePlace = AgentEvent.pick({ stream: true, sequence: true, floor: true });

type Topic = { org: string; device: string; leaf: DeviceLeaf };
/** `mayHaveWaited`: it may have lain in a queue, the broker's or ours, so the clock in it may be older than it looks. */
export type StateDelivery = { retained: boolean; mayHaveWaited: boolean };
export type MqttIngestOptions = {
  deps: WriterDeps;
  writer: Writer;
  ingest: Ingest;
  log: Logger;
  onState(tx: Tx, agentId: string, state: AgentState, how: StateDelivery): void;
  onResult(tx: Tx, agentId: string, result: AgentCommandResult): string | undefined;
};

export class MqttIngest {
  readonly #options: MqttIngestOptions;
  readonly #streams: DeviceStreams;
  #waiting: BrokerMessage[] = [];
  #waitingBytes = 0;
  /** QoS 0 messages dropped since the last message that was taken. */
  #dropped = 0;
  #busy = false;
  /** When messages last waited: at a connection, or because nothing could be stored. Monotonic. */
  #waitedMs = -Infinity;

  constructor(options: MqttIngestOptions) {
    this.#options = options;
    this.#streams = new DeviceStreams(options.deps.db);
  }

  take(message: BrokerMessage): void {
    if (message.qos === 0 && this.#waitingBytes >= waitingBytesMax) {
      if (this.#dropped === 0) this.#options.log.warn('dropping_messages_without_guarantee');
      this.#dropped += 1;
      return;
    }
    this.#waitingBytes += message.payload.length;
    this.#waiting.push(message);
    if (!this.#busy) void this.#drain();
  }

  /** The broker is there (again): it hands over what has waited for us. */
  connected(): void {
    this.#waitedMs = this.#options.deps.clock.monotonic();
  }

  waiting(): number {
    return this.#waiting.length;
  }

  dropCaches(): void {
    this.#streams.clear();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting.length > 0) {
      let batch: BrokerMessage[] = [];
      try {
        // The batch is cut when the commit begins, so that it takes all that came until then.
        await this.#options.writer.submit((tx) => {
          batch = this.#waiting.slice(0, batchMax);
          this.#process(tx, batch);
        });
        this.#done(batch);
      } catch (error) {
        await this.#recover(error, batch);
      }
    }
    this.#busy = false;
  }

  #done(batch: readonly BrokerMessage[]): void {
    this.#waiting.splice(0, batch.length);
    for (const message of batch) {
      this.#waitingBytes -= message.payload.length;
      message.acknowledge();
    }
    if (this.#dropped === 0 || this.#waitingBytes >= waitingBytesMax / 2) return;
    this.#options.log.warn('dropped_messages_without_guarantee', { count: this.#dropped });
    this.#dropped = 0;
  }

  /** At the end: what is not acknowledged is sent again to the next core. */
  #forget(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  async #recover(error: unknown, batch: readonly BrokerMessage[]): Promise<void> {
    this.#streams.clear();
    if (isWorthRepeating(error)) {
      await this.#pause();
      return;
    }
    if (error instanceof AppError && error.code === 'unavailable') {
      this.#forget();
      return;
    }
    // One message we cannot handle must not hold up the others: each alone, the culprit to the dead letters.
    this.#options.log.error('batch_failed', { error, messages: batch.length });
    for (const message of batch) {
      if (!(await this.#alone(message))) {
        this.#forget();
        return;
      }
      this.#done([message]);
    }
  }

  /** @returns false when the box is shutting down. */
  async #alone(message: BrokerMessage): Promise<boolean> {
    for (;;) {
      try {
        await this.#storeOrReject(message);
        return true;
      } catch (error) {
        if (error instanceof AppError && error.code === 'unavailable') return false;
        // Until it can be stored: an acknowledgement now would lose it.
        await this.#pause();
      }
    }
  }

  async #storeOrReject(message: BrokerMessage): Promise<void> {
    const { log } = this.#options;
    const failure = await this.#attempt((tx) => this.#process(tx, [message]));
    if (failure === undefined) return;
    log.error('message_failed', { error: failure, topic: message.topic });
    const reason = `The box failed on it: ${failure.message}`;
    const again = await this.#attempt((tx) =>
      this.#reject(tx, message, parseDeviceTopic(message.topic), 'processing_failed', reason),
    );
    if (again) log.error('dead_letter_failed', { error: again, topic: message.topic });
  }

  /** @returns what the job itself failed on. @throws what kept the commit from being made, which is no fault of the job. */
  async #attempt(job: (tx: Tx) => void): Promise<Error | undefined> {
    let own: Error | undefined;
    try {
      await this.#options.writer.submit((tx) => {
        try {
          job(tx);
        } catch (error) {
          if (!isStorageFailure(error)) own = error as Error;
          throw error;
        }
      });
    } catch (error) {
      this.#streams.clear();
      if (own === undefined) throw error;
    }
    return own;
  }

  #process(tx: Tx, batch: readonly BrokerMessage[]): void {
    const acks = new Map<string, { org: string; device: string; ack: AgentAck }>();
    for (const message of batch) {
      const topic = parseDeviceTopic(message.topic);
      if (!topic) {
        this.#reject(
          tx,
          message,
          undefined,
          'unknown_topic',
          `${message.topic.slice(0, 120)} is no topic of ours`,
        );
        continue;
      }
      const ack = this.#one(tx, topic, message);
      if (ack) acks.set(`${topic.device} ${ack.stream}`, { org: topic.org, device: topic.device, ack });
    }
    this.#streams.save(tx);
    tx.afterCommit(() => {
      for (const { org, device, ack } of acks.values())
        this.#options.deps.publish(deviceTopic(org, device, 'ack'), JSON.stringify(ack), { retain: false });
    });
  }

  #one(tx: Tx, topic: Topic, message: BrokerMessage): AgentAck | undefined {
    const agent = this.#options.deps.index.device(topic.device);
    if (!agent || agent.orgId !== topic.org) {
      // An empty retained message is how a topic is cleared, not news.
      if (message.payload.length > 0)
        this.#reject(
          tx,
          message,
          topic,
          'unknown_device',
          `There is no device ${topic.device.slice(0, 80)} in this org.`,
        );
      return undefined;
    }
    if (message.payload.length > eventBytesMax) {
      this.#reject(
        tx,
        message,
        topic,
        'too_large',
        `${message.payload.length} bytes; at most ${eventBytesMax} are taken.`,
      );
      return undefined;
    }
    let value: unknown;
    try {
      value = JSON.parse(message.payload.toString('utf8'));
    } catch (error) {
      this.#reject(tx, message, topic, 'not_json', (error as Error).message);
      return undefined;
    }
    if (isTooDeep(value)) {
      this.#reject(tx, message, topic, 'not_json', 'It is nested too deeply.');
      return undefined;
    }
    return this.#dispatch(tx, topic, message, value);
  }

  #dispatch(tx: Tx, topic: Topic, message: BrokerMessage, value: unknown): AgentAck | undefined {
    switch (topic.leaf) {
      case 'event':
      case 'telemetry':
        return this.#event(tx, topic, message, value);
      case 'state': {
        const state = AgentState.safeParse(value);
        if (state.success) this.#options.onState(tx, topic.device, state.data, this.#delivery(message));
        else
          this.#reject(
            tx,
            message,
            topic,
            'schema',
            `state: ${state.error.issues[0]?.message ?? 'not valid'}`,
          );
        return undefined;
      }
      case 'result': {
        const result = AgentCommandResult.safeParse(value);
        const refused = result.success
          ? this.#options.onResult(tx, topic.device, result.data)
          : `result: ${result.error.issues[0]?.message ?? 'not valid'}`;
        if (refused !== undefined) this.#reject(tx, message, topic, 'schema', refused);
        return undefined;
      }
      case 'ack':
      case 'command':
      case 'twin':
        this.#reject(tx, message, topic, 'unknown_topic', `An agent must not write to ${topic.leaf}.`);
        return undefined;
    }
  }

  #delivery(message: BrokerMessage): StateDelivery {
    const sinceMs = this.#options.deps.clock.monotonic() - this.#waitedMs;
    return { retained: message.retain, mayHaveWaited: message.dup || sinceMs < settleMs };
  }

  #event(tx: Tx, topic: Topic, message: BrokerMessage, value: unknown): AgentAck | undefined {
    this.#options.ingest.append(tx, {
      channel: 'mqtt',
      origin: `device:${topic.device}`,
      orgId: topic.org,
      agentId: topic.device,
      value,
      bytes: message.payload.length,
      ...(message.retain ? { mark: 'retained' as const } : {}),
    });
    if (topic.leaf !== 'event') return undefined;
    const place = QueuePlace.safeParse(value);
    if (!place.success) return undefined;
    const { stream, sequence, floor } = place.data;
    return { stream, committed: this.#streams.advance(topic.device, stream, sequence, floor) };
  }

  #reject(tx: Tx, message: BrokerMessage, topic: Topic | undefined, code: DeadCode, reason: string): void {
    const { index } = this.#options.deps;
    const orgId = index.device(topic?.device ?? '')?.orgId ?? index.orgIds()[0];
    this.#options.log.warn('message_refused', {
      topic: message.topic.slice(0, 200),
      reason: reason.slice(0, 200),
      kind: code,
    });
    // Before the box is set up there is no org to keep it for.
    if (orgId === undefined) return;
    this.#options.ingest.countDeadLetter(tx);
    storeDeadLetter(
      tx,
      {
        channel: 'mqtt',
        origin: message.topic,
        orgId,
        bytes: message.payload.length,
        payload: message.payload,
      },
      code,
      reason,
    );
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    this.#waitedMs = this.#options.deps.clock.monotonic();
  }
}
