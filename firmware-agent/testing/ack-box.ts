/**
 * The part of core that an agent talks to, small enough to misbehave on demand: it keeps events in order of their stream,
 * and acknowledges what it kept.
 */
import {
  type AgentAck,
  AgentCommand,
  type AgentCommandResult,
  AgentEvent,
  type AgentState,
  type DeviceLeaf,
  deviceTopic,
  parseDeviceTopic,
} from '@siphera/contract';
import { coreUser, type Mosquitto, waitFor } from '@siphera/testkit';
import type { MqttClient } from 'mqtt';
import type { z } from 'zod';

export const orgId = '01930000-0000-7000-8000-000000000001';

type Stream = { committed: number };

export class AckBox {
  /** Committed events, each id once, in the order they were committed. */
  readonly events: AgentEvent[] = [];
  /** Everything that arrived, repeats too. */
  readonly arrived: AgentEvent[] = [];
  readonly results: AgentCommandResult[] = [];
  readonly states: AgentState[] = [];
  readonly telemetry: unknown[] = [];
  /** Events behind a gap that nothing explained. */
  readonly gaps: AgentEvent[] = [];
  paused = false;
  readonly #ids = new Set<string>();
  readonly #streams = new Map<string, Stream>();
  readonly #client: MqttClient;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (topic, payload) => {
      const parsed = parseDeviceTopic(topic);
      if (parsed) this.#take(parsed, JSON.parse(payload.toString()));
    });
  }

  /** Connects as core does, with a session that the broker keeps. */
  static async connect(mosquitto: Mosquitto): Promise<AckBox> {
    const client = await mosquitto.connect(await mosquitto.issueClientCert(coreUser), {
      clientId: coreUser,
      clean: false,
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 3_600 },
    });
    const box = new AckBox(client);
    await client.subscribeAsync(
      ['event', 'state', 'result', 'telemetry'].map((leaf) => `siphera/v1/+/+/${leaf}`),
      {
        qos: 1,
      },
    );
    return box;
  }

  async ack(device: string, ack: AgentAck): Promise<void> {
    await this.#publish(device, 'ack', ack);
  }

  async command(device: string, command: z.input<typeof AgentCommand>): Promise<void> {
    await this.#publish(device, 'command', AgentCommand.parse(command));
  }

  /** Acknowledges everything that came while it was paused. */
  async resume(device: string): Promise<void> {
    this.paused = false;
    const held = [...this.arrived];
    for (const event of held) this.#commit(event);
    for (const [stream, { committed }] of this.#streams) await this.ack(device, { stream, committed });
  }

  /** The payloads' `n`, in the order of their commit. */
  numbers(): number[] {
    return this.events.filter((event) => event.type === 'motion.started').map((event) => numberOf(event));
  }

  async waitForEvents(count: number): Promise<void> {
    await waitFor(
      `${count} events to be committed, ${this.events.length} are`,
      () => this.events.length >= count,
    );
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  async #publish(device: string, leaf: DeviceLeaf, body: unknown): Promise<void> {
    await this.#client.publishAsync(deviceTopic(orgId, device, leaf), JSON.stringify(body), { qos: 1 });
  }

  #take(topic: { device: string; leaf: DeviceLeaf }, body: unknown): void {
    if (topic.leaf === 'state') this.states.push(body as AgentState);
    if (topic.leaf === 'result') this.results.push(body as AgentCommandResult);
    if (topic.leaf === 'telemetry') this.telemetry.push(body);
    if (topic.leaf !== 'event') return;
    const event = AgentEvent.parse(body);
    this.arrived.push(event);
    if (this.paused) return;
    const stream = this.#commit(event);
    // Lost with the connection: the agent sends again, and is answered again.
    void this.ack(topic.device, { stream: event.stream, committed: stream.committed }).catch(() => undefined);
  }

  #commit(event: AgentEvent): Stream {
    const stream = this.#streams.get(event.stream) ?? { committed: 0 };
    this.#streams.set(event.stream, stream);
    const expected = stream.committed + 1;
    if (event.sequence < expected) return stream;
    if (event.sequence > expected && (event.floor ?? 1) <= expected) return stream;
    if (event.sequence > expected) this.gaps.push(event);
    stream.committed = event.sequence;
    if (!this.#ids.has(event.id)) this.events.push(event);
    this.#ids.add(event.id);
    return stream;
  }
}

const numberOf = (event: AgentEvent): number => (event.data as { value: number }).value;
