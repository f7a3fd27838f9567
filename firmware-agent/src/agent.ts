/**
 * The agent: one identity, one queue, one driver, one connection at a time. What must stay true: an event that `emit`
 * accepted reaches the box once, in order, however often this process or the broker dies on the way.
 */
import { AgentCommand, type AgentState } from '@siphera/contract';
import { z } from 'zod';
import type { AgentConfig } from './config.ts';
import { segmentBytesFor } from './config.ts';
import { type Clock, toRfc3339 } from './domain/clock.ts';
import { CommandBook } from './domain/command-book.ts';
import type { Driver, DriverEvent, DriverPort, DriverState } from './domain/driver.ts';
import { buildEvent, encodeEvent, isKept, resolveDevice } from './domain/events.ts';
import type { Random } from './domain/random.ts';
import type { Child, Identity } from './enrol/identity.ts';
import { errorFields, type Log } from './log.ts';
import { type Disk, openDisk } from './queue/disk.ts';
import { type DiskQueue, openQueue } from './queue/disk-queue.ts';
import { lockDirectory } from './queue/lock.ts';
import type { Gap } from './queue/state.ts';
import { keepLinked, type LinkKeeper } from './transport/link-keeper.ts';
import type { Link } from './transport/link.ts';
import { Uplink, type UplinkCounts } from './transport/uplink.ts';
import { agentVersion } from './version.ts';
import { join } from 'node:path';

/** State changes within this time are told as one. */
const stateDelayMs = 100;
const bookName = 'commands.json';

export type AgentOptions = {
  config: AgentConfig;
  identity: Identity;
  driver: Driver;
  clock: Clock;
  random: Random;
  log: Log;
};
export type AgentStats = UplinkCounts & {
  connected: boolean;
  stream: string;
  floor: number;
  last: number;
  held: number;
  dropped: number;
  bytes: number;
};
export type Agent = DriverPort & {
  stats(): AgentStats;
  /** The controller loses its network, or gets it back; for tests and the lab. */
  setNetwork(up: boolean): Promise<void>;
  stop(): Promise<void>;
};

/** What the box keeps for an agent: the devices behind it, and settings that only the driver understands. */
const Twin = z.looseObject({
  children: z
    .array(
      z.object({ id: z.string(), kind: z.string(), name: z.string(), external_id: z.string().nullable() }),
    )
    .optional(),
});

/** Starts an agent; resolves when its driver runs. It connects, and connects again, by itself. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { config, log } = options;
  const disk = await openDisk(join(config.data_dir, 'queue'));
  const lock = await lockDirectory(config.data_dir);
  try {
    const running = new RunningAgent(options, disk);
    await running.start();
    const stop = running.stop.bind(running);
    return Object.assign(running, {
      stop: async () => {
        await stop();
        await lock.release();
        log.info('agent.stopped');
      },
    });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class RunningAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #disk: Disk;
  #children: Child[];
  readonly #states = new Map<string, { online?: boolean; state?: string }>();
  #queue!: DiskQueue;
  #uplink!: Uplink;
  #book!: CommandBook;
  #keeper!: LinkKeeper;
  #link: Link | undefined;
  #stateTimer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: AgentOptions, disk: Disk) {
    this.#options = options;
    this.#disk = disk;
    this.#children = options.identity.children;
  }

  get deviceId(): string {
    return this.#options.identity.deviceId;
  }
  get children(): readonly Child[] {
    return this.#children;
  }

  async start(): Promise<void> {
    const { clock, random, log, config, identity, driver } = this.#options;
    this.#queue = await this.#openQueue();
    this.#uplink = new Uplink({ queue: this.#queue, clock, log });
    this.#book = await this.#openBook();
    const { stream, held, bytes } = this.#queue;
    log.info('agent.started', { device_id: this.deviceId, version: agentVersion, stream, held, bytes });
    await driver.start(this);
    this.#keeper = keepLinked({
      identity,
      url: config.mqtt_url ?? identity.mqttUrl,
      random,
      log,
      onLink: (link) => this.#onLink(link),
      onLost: () => this.#onLost(),
      onMessage: (leaf, payload) => this.#onMessage(leaf, payload),
    });
    this.#heartbeat = setInterval(() => this.#beat(), config.heartbeat_seconds * 1_000);
  }

  async emit(report: DriverEvent): Promise<{ id: string; sequence: number }> {
    const { clock, random } = this.#options;
    const event = buildEvent({ deviceId: this.deviceId, children: this.#children, clock, random }, report);
    const payload = encodeEvent(event);
    const sequence = await this.#queue.append({ payload, kept: isKept(event.type) });
    this.#uplink.pump();
    return { id: event.id, sequence };
  }

  setState(report: DriverState): void {
    const device = resolveDevice(this.deviceId, this.#children, report.device);
    if (device === undefined) {
      this.#options.log.warn('driver.unknown_device', { device: report.device });
      return;
    }
    const { online, state } = report;
    const before = this.#states.get(device);
    this.#states.set(device, {
      ...before,
      ...(online === undefined ? {} : { online }),
      ...(state === undefined ? {} : { state: state.slice(0, 40) }),
    });
    this.#stateTimer ??= setTimeout(() => this.#publishState(), stateDelayMs);
  }

  stats(): AgentStats {
    const { stream, floor, last, held, dropped, bytes } = this.#queue;
    return {
      ...this.#uplink.counts,
      connected: this.#link !== undefined,
      stream,
      floor,
      last,
      held,
      dropped,
      bytes,
    };
  }

  setNetwork(up: boolean): Promise<void> {
    return this.#keeper.setNetwork(up);
  }

  async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#stateTimer);
    await this.#options.driver.stop();
    const goodbye = this.#link?.publish('state', this.#state(false), { retain: true });
    await goodbye?.catch(() => {
      // The link went first: the broker's last will says the same.
    });
    this.#uplink.stop();
    await this.#keeper.stop();
    await this.#saving;
    await this.#queue.close();
  }

  #openQueue(): Promise<DiskQueue> {
    const { config, random, log } = this.#options;
    return openQueue({
      disk: this.#disk,
      bytesMax: config.queue.bytes_max,
      segmentBytes: segmentBytesFor(config.queue.bytes_max),
      newStream: () => random.uuid(),
      gapPayload: (gap) => this.#gapPayload(gap),
      onGap: (gap) => log.error('queue.gap', gap),
      onStream: (stream, reason) => {
        log.warn('queue.new_stream', { stream, reason });
        // Absent while the queue opens: nothing was sent yet.
        (this.#uplink as Uplink | undefined)?.onStream();
      },
    });
  }

  #gapPayload(gap: Gap): Buffer {
    const { clock, random } = this.#options;
    const context = { deviceId: this.deviceId, children: [], clock, random };
    return encodeEvent(buildEvent(context, { type: 'system.stream_gap', data: gap }));
  }

  async #openBook(): Promise<CommandBook> {
    const saved = await this.#disk.read(bookName);
    return new CommandBook({
      clock: this.#options.clock,
      saved: saved?.toString('utf8'),
      execute: (command, signal) => this.#options.driver.execute(command, signal),
      isOurs: (device) => resolveDevice(this.deviceId, this.#children, device) === device,
      save: (text) => {
        const written = this.#saving.then(() => this.#disk.replace(bookName, Buffer.from(text)));
        // The next save must not fail for this one's reason; this one's caller hears of it.
        this.#saving = written.catch(() => undefined);
        return written;
      },
    });
  }

  #onLink(link: Link): void {
    this.#link = link;
    this.#publishState();
    this.#uplink.attach(link);
    this.#beat();
  }

  #onLost(): void {
    this.#link = undefined;
    this.#uplink.detach();
  }

  #onMessage(leaf: 'ack' | 'command' | 'twin', payload: Buffer): void {
    if (leaf === 'ack') this.#uplink.onAck(payload);
    else if (leaf === 'twin') this.#onTwin(parseJson(payload));
    else this.#onCommandMessage(parseJson(payload));
  }

  #onCommandMessage(body: unknown): void {
    const command = AgentCommand.safeParse(body);
    if (command.success) void this.#onCommand(command.data);
    else this.#options.log.warn('command.unreadable', { reason: command.error.issues[0]?.message });
  }

  async #onCommand(command: AgentCommand): Promise<void> {
    const { log, clock } = this.#options;
    const result = await this.#book.handle(command).catch((error: unknown) => {
      log.error('command.failed', { id: command.id, ...errorFields(error) });
      const reason = 'The agent could not note the command, so it did not execute it';
      return { id: command.id, ok: false, error: reason, at: toRfc3339(clock.now()) };
    });
    log.info('command.done', { id: command.id, name: command.name, target: command.target, ok: result.ok });
    // A result that is lost with the connection is asked for again by the box, with the same command id.
    await this.#link?.publish('result', result).catch((error: unknown) => {
      log.warn('command.result_lost', { id: command.id, ...errorFields(error) });
    });
  }

  #onTwin(body: unknown): void {
    const twin = Twin.safeParse(body);
    if (!twin.success) {
      this.#options.log.warn('twin.unreadable', { reason: twin.error.issues[0]?.message });
      return;
    }
    if (twin.data.children) this.#children = twin.data.children as Child[];
    this.#options.driver.configure?.(twin.data);
  }

  #beat(): void {
    const { held, bytes, dropped } = this.#queue;
    const { clock, random } = this.#options;
    const context = { deviceId: this.deviceId, children: [], clock, random };
    const data = { value: held, unit: 'events', queue_bytes: bytes, dropped, version: agentVersion };
    this.#link?.publishLoose('telemetry', buildEvent(context, { type: 'device.heartbeat', data }));
  }

  #publishState(): void {
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
    const link = this.#link;
    link?.publish('state', this.#state(true), { retain: true }).catch((error: unknown) => {
      // After a loss the state is told again with the next connection.
      if (link === this.#link) this.#options.log.warn('state.refused', errorFields(error));
    });
  }

  #state(online: boolean): AgentState {
    const own = this.#states.get(this.deviceId);
    const door = (['locked', 'unlocked'] as const).find((word) => word === own?.state);
    const children = Object.fromEntries([...this.#states].filter(([id]) => id !== this.deviceId));
    return {
      online,
      at: toRfc3339(this.#options.clock.now()),
      version: agentVersion,
      queued: this.#queue.held,
      ...(door ? { door } : {}),
      children,
    };
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    // Refused by the schema of its reader, which logs why.
    return undefined;
  }
}
