/**
 * Event → action over the same Mosquitto, beside Node-RED: a device reports motion, a rule gives it a command. Ours
 * commits event, command, its timer, trace and audit record before the command leaves; Node-RED keeps nothing.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { deviceTopic } from '@siphera/contract';
import { enrol } from '@siphera/firmware-agent';
import { call, coreUser, waitFor, type CertificateFiles } from '@siphera/testkit';
import type { MqttClient } from 'mqtt';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';
import { startBuilding, type Building } from './building.ts';
import { startNodeRed } from './node-red.ts';
import { rssOf } from './process-figures.ts';

const warmUp = 100;
const pings = 500;
/** Under way at once in the burst: what an agent may hold uncommitted. */
const burstWindow = 100;
const answerMsMax = 10_000;

type Device = { orgId: string; id: string; client: MqttClient };
type Figures = { p50Ms: number; p99Ms: number; perSecond: number; idleMiB: number };

export async function benchAction({ seconds, progress }: BenchOptions): Promise<BenchRow[]> {
  await using building = await startBuilding({ devices: 1, rules: 0, frontDoor: true });
  const { box } = building;
  const device = await enrolledDevice(building);
  await addCommandRule(building, device.id);
  progress('ours');
  const ours = await measure(device, 'box', seconds, box.core.daemon.pid);
  await box.core.daemon.stop();
  const files = await box.mosquitto.issueClientCert(coreUser);
  await forgetCoreSession(building, files);
  progress('Node-RED');
  await using red = await startNodeRed({
    dir: box.dir,
    mosquitto: box.mosquitto,
    ...files,
    from: deviceTopic(device.orgId, device.id, 'event'),
    to: deviceTopic(device.orgId, device.id, 'command'),
  });
  const theirs = await measure(device, 'red', seconds, red.pid);
  await device.client.endAsync(true);
  return compare(ours, theirs);
}

function compare(ours: Figures, theirs: Figures): BenchRow[] {
  const what = 'event → action';
  const base = { peerName: 'Node-RED, nothing durable' };
  return [
    {
      ...base,
      what: `${what}: p50`,
      ours: ours.p50Ms,
      peer: theirs.p50Ms,
      unit: 'ms',
      better: 'less',
      target: { ratio: 0.5 },
    },
    {
      ...base,
      what: `${what}: p99`,
      ours: ours.p99Ms,
      peer: theirs.p99Ms,
      unit: 'ms',
      better: 'less',
      target: { ours: 50 },
    },
    {
      ...base,
      what: `${what}: burst`,
      ours: ours.perSecond,
      peer: theirs.perSecond,
      unit: '/s',
      better: 'more',
    },
    { ...base, what: 'memory before', ours: ours.idleMiB, peer: theirs.idleMiB, unit: 'MiB', better: 'less' },
  ];
}

async function enrolledDevice({ box, token, orgId, devices }: Building): Promise<Device> {
  const id = devices[0]?.id ?? '';
  const { code } = await call(box, 'createEnrolmentCode', { token, params: { id } });
  const dataDir = join(box.dir, 'agent');
  const { caFile } = box.mosquitto.ca;
  const port = String(box.frontDoor?.port);
  await enrol({ dataDir, box: `https://localhost:${port}`, code, trust: { caFile } });
  const identity = (file: string): string => join(dataDir, 'identity', file);
  const client = await box.mosquitto.connect(
    { certFile: identity('agent.crt'), keyFile: identity('agent.key'), caFile },
    { clientId: id },
  );
  (client.stream as unknown as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  await client.subscribeAsync(deviceTopic(orgId, id, 'command'), { qos: 1 });
  return { orgId, id, client };
}

async function addCommandRule({ box, token }: Building, deviceId: string): Promise<void> {
  await call(box, 'createRule', {
    token,
    body: {
      name: 'Identify on motion',
      trigger: { kind: 'event', types: ['motion.started'], scope: { device_ids: [deviceId] } },
      conditions: [{ kind: 'data', path: 'value', op: 'gte', value: 0 }],
      actions: [{ kind: 'command', target: 'trigger', name: 'identify' }],
    },
  });
}

/** The broker must not spend the peer's time on a queue for a core that is away. */
async function forgetCoreSession({ box }: Building, files: CertificateFiles): Promise<void> {
  const client = await box.mosquitto.connect(files, { clientId: coreUser, clean: true });
  await client.endAsync();
}

async function measure(
  device: Device,
  stream: string,
  seconds: number,
  pid: number | undefined,
): Promise<Figures> {
  const idleMiB = rssOf(pid);
  const run = new Run(device, stream);
  await run.firstAnswer();
  for (let n = 0; n < warmUp; n++) await run.ping();
  const times: number[] = [];
  for (let n = 0; n < pings; n++) times.push(await run.ping());
  times.sort((a, b) => a - b);
  const perSecond = await run.burst(seconds);
  run.end();
  return { p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99), perSecond, idleMiB };
}

/** One device's conversation: events out, commands in. Each event gives one command, in order. */
class Run {
  readonly #device: Device;
  readonly #stream: string;
  readonly #onCommand = (topic: string): void => {
    if (!topic.endsWith('/command')) return;
    this.#answered += 1;
    this.#heard();
  };
  #sent = 0;
  #answered = 0;
  #heard: () => void = () => undefined;

  constructor(device: Device, stream: string) {
    this.#device = device;
    this.#stream = `${stream}-${randomUUID()}`;
    device.client.on('message', this.#onCommand);
  }

  /** Node-RED says that it is there before its flow has reached the broker. */
  async firstAnswer(): Promise<void> {
    const before = this.#answered;
    await waitFor('a command for an event', () => {
      this.#send();
      return this.#answered > before;
    });
    // What was sent meanwhile may still be answered, and must not be taken for a later answer.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    this.#sent = this.#answered;
  }

  async ping(): Promise<number> {
    const started = performance.now();
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('No command came for an event')), answerMsMax);
      this.#heard = () => {
        clearTimeout(late);
        resolve();
      };
      this.#send();
    });
    return performance.now() - started;
  }

  /** @returns commands a second, with a window of events always under way. */
  async burst(seconds: number): Promise<number> {
    const before = this.#answered;
    const started = performance.now();
    const until = started + seconds * 1_000;
    this.#heard = () => {
      if (performance.now() < until) this.#send();
    };
    for (let n = 0; n < burstWindow; n++) this.#send();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const perSecond = (this.#answered - before) / ((performance.now() - started) / 1_000);
    await this.#drain();
    return perSecond;
  }

  end(): void {
    this.#device.client.off('message', this.#onCommand);
  }

  async #drain(): Promise<void> {
    const until = performance.now() + answerMsMax;
    while (this.#answered < this.#sent && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #send(): void {
    const sequence = ++this.#sent;
    const { client, orgId, id } = this.#device;
    const event = {
      specversion: '1.0',
      id: `${this.#stream}-${sequence}`,
      source: `bench/${id}`,
      type: 'motion.started',
      time: new Date().toISOString(),
      subject: id,
      data: { value: sequence },
      stream: this.#stream.slice(0, 64),
      sequence,
      floor: 1,
    };
    client.publish(deviceTopic(orgId, id, 'event'), JSON.stringify(event), { qos: 1 }, () => undefined);
  }
}
