/**
 * Load of many agents on one broker: each keeps a window of uncommitted events and sends the next when core's own
 * acknowledgement moves; what comes faster waits with the agent, as in its disk queue. Runs as a child process, so that
 * its work is not counted as the box's.
 */
import { readFileSync } from 'node:fs';
import { agentWindow, deviceTopic, type AgentAck } from '@siphera/contract';
import mqtt, { type MqttClient } from 'mqtt';
import { quantile } from './bench-row.ts';

export type LoadPlan = {
  url: string;
  orgId: string;
  caFile: string;
  devices: Array<{ id: string; certFile: string; keyFile: string }>;
  /** Names the agents' queues: a load on the same devices must have a name of its own. */
  stream: string;
  type: string;
  seconds: number;
  /** Events a second over all devices; absent means as fast as acknowledgements come. */
  rate?: number;
  /** Every so many events of a device is a pressed panic button. */
  panicEvery?: number;
  /** `box` waits for our acknowledgement; `broker` only for the broker's, to know its own limit. */
  acknowledgedBy: 'box' | 'broker';
};
export type LoadReport = {
  sent: number;
  panics: number;
  /** Acknowledged within the time; what was under way then is waited for, but not counted. */
  committed: number;
  seconds: number;
  perSecond: number;
  /** From the moment the event was made. */
  ackP50Ms: number;
  ackP99Ms: number;
  /** Most events that waited with the agents: how they feel that the box is slower than they are. */
  backlogMax: number;
  /** After waiting for the rest. */
  unacknowledged: number;
  cpuMs: number;
};

const samplesMax = 1_000_000;
/** How long the end of the run waits for what is under way, per second of load. */
const drainFactor = 6;

class Agent {
  committed = 0;
  sent = 0;
  made = 0;
  panics = 0;
  readonly #madeAt: number[] = [];
  readonly #plan: LoadPlan;
  readonly #client: MqttClient;
  readonly #id: string;
  readonly #samples: number[];

  constructor(plan: LoadPlan, id: string, client: MqttClient, samples: number[]) {
    this.#plan = plan;
    this.#id = id;
    this.#client = client;
    this.#samples = samples;
    client.on('message', (_topic, payload) =>
      this.#acknowledged((JSON.parse(payload.toString()) as AgentAck).committed),
    );
  }

  make(): void {
    this.made += 1;
    this.#madeAt[this.made] = performance.now();
    this.#sendWaiting();
  }

  fill(): void {
    while (this.made - this.committed < agentWindow) this.make();
  }

  #sendWaiting(): void {
    while (this.sent < this.made && this.sent - this.committed < agentWindow) this.#send();
  }

  #send(): void {
    const sequence = ++this.sent;
    const isPanic = this.#plan.panicEvery !== undefined && sequence % this.#plan.panicEvery === 0;
    if (isPanic) this.panics += 1;
    const event = {
      specversion: '1.0',
      id: `${this.#plan.stream}-${sequence}`,
      source: `bench/${this.#id}`,
      type: isPanic ? 'panic.pressed' : this.#plan.type,
      time: new Date().toISOString(),
      subject: this.#id,
      data: { note: 'a reading of the usual size, with some words in it', value: sequence % 100, unit: 'C' },
      stream: this.#plan.stream,
      sequence,
      floor: this.committed + 1,
    };
    this.#client.publish(
      deviceTopic(this.#plan.orgId, this.#id, 'event'),
      JSON.stringify(event),
      { qos: 1 },
      () => {
        if (this.#plan.acknowledgedBy === 'broker') this.#acknowledged(sequence);
      },
    );
  }

  #acknowledged(committed: number): void {
    const now = performance.now();
    for (let sequence = this.committed + 1; sequence <= committed; sequence++) {
      if (this.#samples.length < samplesMax) this.#samples.push(now - (this.#madeAt[sequence] ?? now));
    }
    this.committed = Math.max(this.committed, committed);
    if (finished || this.#plan.rate !== undefined) this.#sendWaiting();
    else this.fill();
  }
}

let finished = false;

async function run(plan: LoadPlan): Promise<LoadReport> {
  const samples: number[] = [];
  const agents = await Promise.all(plan.devices.map((device) => connect(plan, device, samples)));
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  let backlogMax = 0;
  if (plan.rate === undefined) {
    for (const agent of agents) agent.fill();
    await sleep(plan.seconds * 1_000);
  } else {
    backlogMax = await paced(agents, plan.rate, plan.seconds);
  }
  finished = true;
  const committed = total(agents, 'committed');
  const seconds = (performance.now() - started) / 1_000;
  await waitForRest(agents, plan.seconds * drainFactor);
  const cpu = process.cpuUsage(cpuBefore);
  samples.sort((a, b) => a - b);
  return {
    sent: total(agents, 'sent'),
    panics: total(agents, 'panics'),
    committed,
    seconds,
    perSecond: committed / seconds,
    ackP50Ms: quantile(samples, 0.5),
    ackP99Ms: quantile(samples, 0.99),
    backlogMax,
    unacknowledged: total(agents, 'made') - total(agents, 'committed'),
    cpuMs: (cpu.user + cpu.system) / 1_000,
  };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const total = (agents: readonly Agent[], what: 'made' | 'sent' | 'committed' | 'panics'): number =>
  agents.reduce((sum, agent) => sum + agent[what], 0);

/** @returns the largest backlog seen. */
async function paced(agents: readonly Agent[], rate: number, seconds: number): Promise<number> {
  const started = performance.now();
  let backlogMax = 0;
  for (let made = 0; made < rate * seconds;) {
    const due = Math.min(rate * seconds, ((performance.now() - started) / 1_000) * rate);
    for (; made < due; made++) agents[made % agents.length]?.make();
    backlogMax = Math.max(backlogMax, total(agents, 'made') - total(agents, 'sent'));
    await sleep(2);
  }
  return backlogMax;
}

async function waitForRest(agents: readonly Agent[], seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  while (total(agents, 'made') > total(agents, 'committed') && performance.now() < until) await sleep(50);
}

async function connect(
  plan: LoadPlan,
  device: LoadPlan['devices'][number],
  samples: number[],
): Promise<Agent> {
  const client = await mqtt.connectAsync(plan.url, {
    clientId: device.id,
    protocolVersion: 4,
    cert: readFileSync(device.certFile),
    key: readFileSync(device.keyFile),
    ca: readFileSync(plan.caFile),
  });
  (client.stream as unknown as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  const agent = new Agent(plan, device.id, client, samples);
  if (plan.acknowledgedBy === 'box')
    await client.subscribeAsync(deviceTopic(plan.orgId, device.id, 'ack'), { qos: 0 });
  return agent;
}

process.once('message', (plan: LoadPlan) => {
  void run(plan).then((report) => {
    process.send?.(report, () => process.exit(0));
  });
});
