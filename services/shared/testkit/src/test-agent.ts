/**
 * An agent reduced to its duty: it keeps each event until core says that it is committed, at most a window at a time, and
 * sends again what was not. Used to prove what core and broker lose under kills; the product's agent is firmware-agent.
 */
import { agentWindow, deviceTopic, type AgentAck } from '@siphera/contract';
import type { Mosquitto } from './mosquitto.ts';
import type { MqttClient } from 'mqtt';

/** Without progress for this long it sends again. */
const resendMs = 700;

export type TestEvent = { type: string; subject?: string; time?: string; data?: Record<string, unknown> };

export class TestAgent {
  readonly id: string;
  readonly #orgId: string;
  readonly #client: MqttClient;
  readonly #events: TestEvent[] = [];
  readonly #resend: NodeJS.Timeout;
  committed = 0;
  #sent = 0;
  #progressAt = performance.now();

  private constructor(id: string, orgId: string, client: MqttClient) {
    this.id = id;
    this.#orgId = orgId;
    this.#client = client;
    client.on('message', (_topic, payload) => this.#onAck(JSON.parse(payload.toString()) as AgentAck));
    client.on('connect', () => void this.#onConnect());
    this.#resend = setInterval(() => this.#sendAgain(), 100);
  }

  static async connect(mosquitto: Mosquitto, orgId: string, id: string): Promise<TestAgent> {
    const client = await mosquitto.connect(await mosquitto.issueClientCert(id), {
      clientId: id,
      reconnectPeriod: 100,
    });
    // A broker that is killed is an error on the socket; mqtt.js comes back by itself.
    client.on('error', () => undefined);
    const agent = new TestAgent(id, orgId, client);
    await agent.#onConnect();
    return agent;
  }

  /** Its connection, to say on it what no agent should: a certificate has one session. */
  get client(): MqttClient {
    return this.#client;
  }

  /** Events handed over so far. */
  get total(): number {
    return this.#events.length;
  }

  add(event: TestEvent): void {
    this.#events.push(event);
    this.#fill();
  }

  done(): boolean {
    return this.committed === this.#events.length;
  }

  async close(): Promise<void> {
    clearInterval(this.#resend);
    await this.#client.endAsync(true);
  }

  async #onConnect(): Promise<void> {
    await this.#client.subscribeAsync(deviceTopic(this.#orgId, this.id, 'ack'), { qos: 1 });
    this.#sent = this.committed;
    this.#fill();
  }

  #onAck(ack: AgentAck): void {
    if (ack.stream !== 'test' || ack.committed <= this.committed) return;
    this.committed = ack.committed;
    this.#progressAt = performance.now();
    this.#fill();
  }

  #sendAgain(): void {
    if (this.done() || performance.now() - this.#progressAt < resendMs) return;
    this.#progressAt = performance.now();
    this.#sent = this.committed;
    this.#fill();
  }

  #fill(): void {
    if (!this.#client.connected) return;
    while (this.#sent < this.#events.length && this.#sent - this.committed < agentWindow)
      this.#publish(++this.#sent);
  }

  #publish(sequence: number): void {
    const event = this.#events[sequence - 1];
    const message = {
      specversion: '1.0',
      id: `${this.id}-${sequence}`,
      source: `test/${this.id}`,
      stream: 'test',
      sequence,
      floor: this.committed + 1,
      ...event,
    };
    this.#client.publish(
      deviceTopic(this.#orgId, this.id, 'event'),
      JSON.stringify(message),
      { qos: 1 },
      () => undefined,
    );
  }
}
