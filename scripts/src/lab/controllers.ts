/** The lab's controllers: the real agent, one a controller, with hardware that exists only here. */
import {
  type Agent,
  type CommandOutcome,
  createLog,
  type Driver,
  type DriverPort,
  parseConfig,
  startAgent,
  systemClock,
  systemRandom,
} from '@siphera/firmware-agent';
import { devices, type LabDevice } from './building.ts';
import type { EnrolledController } from './provision.ts';

/** An unlocked door locks itself again after this when the command does not say. */
const unlockMsDefault = 5_000;
const unlockMsMax = 3_600_000;

export type Told = (device: LabDevice, type: string, data?: Record<string, unknown>) => void;

export class Controllers {
  readonly #agents = new Map<string, Agent>();
  readonly #offline = new Set<string>();
  readonly #locks = new Map<string, NodeJS.Timeout>();
  readonly #told: Told;

  private constructor(told: Told) {
    this.#told = told;
  }

  /** Starts an agent a controller; each connects by itself. */
  static async start(enrolled: readonly EnrolledController[], told: Told): Promise<Controllers> {
    const controllers = new Controllers(told);
    for (const { id, dataDir, identity } of enrolled) {
      const name = `agent ${id}`;
      const write = (line: string): void => void process.stderr.write(line);
      const agent = await startAgent({
        config: parseConfig({ data_dir: dataDir, heartbeat_seconds: 10, log_level: 'error' }, '/'),
        identity,
        driver: controllers.#driver(),
        clock: systemClock,
        random: systemRandom,
        log: createLog({ clock: systemClock, level: 'error', write, name }),
      });
      controllers.#agents.set(id, agent);
      controllers.#announce(id, agent);
    }
    return controllers;
  }

  /** Reports an event of a device to its controller's agent; resolves when it is on that agent's disk. */
  async report(id: string, type: string, data: Record<string, unknown> = {}): Promise<void> {
    const device = byId(id);
    const agent = this.#agents.get(device.controller ?? device.id);
    if (!agent) return;
    this.#told(device, type, data);
    await agent.emit({ type, data, ...(device.controller === undefined ? {} : { device: id }) });
    const state = stateAfter[type];
    if (state !== undefined) agent.setState({ device: id, state, online: true });
  }

  /** Everything reported so far is committed by the box. */
  get settled(): boolean {
    return [...this.#agents].every(([id, agent]) => this.#offline.has(id) || agent.stats().held === 0);
  }
  get connected(): number {
    return [...this.#agents.values()].filter((agent) => agent.stats().connected).length;
  }
  get held(): number {
    return [...this.#agents.values()].reduce((sum, agent) => sum + agent.stats().held, 0);
  }
  get sent(): number {
    return [...this.#agents.values()].reduce((sum, agent) => sum + agent.stats().sent, 0);
  }
  get size(): number {
    return this.#agents.size;
  }
  isOffline(id: string): boolean {
    return this.#offline.has(id);
  }
  get offline(): readonly string[] {
    return [...this.#offline];
  }

  /** Pulls a controller's network cable, or puts it back. Its doors go on working, its queue fills. */
  async setNetwork(id: string, up: boolean): Promise<void> {
    if (up) this.#offline.delete(id);
    else this.#offline.add(id);
    await this.#agents.get(id)?.setNetwork(up);
  }

  async stop(): Promise<void> {
    for (const timer of this.#locks.values()) clearTimeout(timer);
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
  }

  #announce(controller: string, agent: Agent): void {
    for (const device of devices.filter((candidate) => candidate.controller === controller)) {
      agent.setState({
        device: device.id,
        online: true,
        ...(device.kind === 'door' ? { state: 'locked' } : {}),
      });
    }
  }

  #driver(): Driver {
    let port: DriverPort | undefined;
    return {
      start: async (given) => {
        port = given;
      },
      execute: async (command) => {
        const child = port?.children.find((candidate) => candidate.id === command.target);
        return await this.#execute(child?.external_id ?? undefined, command.name, command.args);
      },
      stop: async () => undefined,
    };
  }

  async #execute(
    id: string | undefined,
    name: string,
    args: Record<string, unknown>,
  ): Promise<CommandOutcome> {
    if (name !== 'unlock' && name !== 'lock') return { ok: true };
    if (id === undefined || byId(id).kind !== 'door') return { ok: false, error: 'This device has no lock' };
    clearTimeout(this.#locks.get(id));
    await this.report(id, name === 'unlock' ? 'door.unlocked' : 'door.locked', { note: 'by command' });
    if (name === 'lock') return { ok: true, state: 'locked' };
    const seconds = Number(args['seconds'] ?? unlockMsDefault / 1_000);
    const lock = (): void => void this.report(id, 'door.locked', { note: 'unlock time over' });
    this.#locks.set(id, setTimeout(lock, Math.min(unlockMsMax, Math.max(1, seconds) * 1_000)));
    return { ok: true, state: 'unlocked' };
  }
}

const stateAfter: Readonly<Record<string, string>> = {
  'door.opened': 'open',
  'door.closed': 'closed',
  'door.locked': 'locked',
  'door.unlocked': 'unlocked',
  'door.forced': 'open',
  'door.held': 'open',
};

/** The lab's device of that id; throws when there is none. */
export function byId(id: string): LabDevice {
  const device = devices.find((candidate) => candidate.id === id);
  if (!device) throw new Error(`The building has no device ${id}`);
  return device;
}
