/**
 * A day in the building: people arrive, move, eat, leave; cleaners and a patrol come at night. The day's clock runs `rate`
 * times as fast as the real one; what a door does when somebody passes takes as long as it does in life.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, Random } from '@siphera/runtime';
import { motionOf, passages } from './building.ts';
import type { LabCameras } from './cameras.ts';
import type { Controllers } from './controllers.ts';
import type { LabPanel } from './lab-panel.ts';
import {
  type Errand,
  minutesPerDay,
  outside,
  people,
  type Person,
  planDay,
  route,
  type Step,
} from './people.ts';

const tickMs = 250;
/** How long somebody takes through a door, and from one to the next. */
const doorMs = 1_400;
const walkMs = 900;
const motionMs = 9_000;
/** One badge in so many is refused: forgotten, expired, not allowed there. */
const deniedShare = 0.02;
const armMinute = 21 * 60;
const disarmMinute = 6 * 60 + 30;

export type DayOptions = {
  controllers: Controllers;
  panel: LabPanel | undefined;
  cameras: LabCameras | undefined;
  clock: Clock;
  random: Random;
  rate: number;
  startMinute: number;
  say: (line: string) => void;
  signal: AbortSignal;
};
type Walker = { who: Person; at: string; errands: Errand[]; walking: boolean };

export class Day {
  readonly #options: DayOptions;
  readonly #walkers: Walker[];
  readonly #motion = new Map<string, NodeJS.Timeout>();
  readonly #walks = new Set<Promise<void>>();
  /** The end of the line before each door: people pass one by one. */
  readonly #lines = new Map<string, Promise<boolean>>();
  #minute: number;

  constructor(options: DayOptions) {
    this.#options = options;
    this.#minute = options.startMinute;
    this.#walkers = people.map((who) => this.#begin(who));
  }

  /** Minute of the day, 0 to 1439. */
  get minute(): number {
    return Math.floor(this.#minute) % minutesPerDay;
  }
  get inside(): number {
    return this.#walkers.filter((walker) => walker.at !== outside).length;
  }

  /** Runs until it is told to stop. */
  async run(): Promise<void> {
    const { clock, rate, signal } = this.#options;
    let before = clock.monotonic();
    while (!signal.aborted) {
      await sleep(tickMs, undefined, { signal }).catch(() => undefined);
      const now = clock.monotonic();
      const from = this.#minute;
      this.#minute += ((now - before) / 60_000) * rate;
      before = now;
      this.#turn(from);
      for (const walker of this.#walkers) this.#send(walker);
    }
    await Promise.all(this.#walks);
    for (const [detector, timer] of this.#motion) {
      clearTimeout(timer);
      await this.#options.controllers.report(detector, 'motion.ended');
    }
  }

  /** Where everybody would be at the start, had the day begun at midnight. */
  #begin(who: Person): Walker {
    const errands = planDay(who, this.#options.random);
    const done = errands.filter((errand) => errand.minute < this.#minute);
    return { who, at: done.at(-1)?.to ?? outside, errands: errands.slice(done.length), walking: false };
  }

  /** What happens at an hour of its own: the panel, and a new day's plans at midnight. */
  #turn(from: number): void {
    const passed = (minute: number): boolean => {
      const next = from - (from % minutesPerDay) + minute;
      return (next < from ? next + minutesPerDay : next) < this.#minute;
    };
    if (passed(armMinute)) void this.#options.panel?.setArmed(true);
    if (passed(disarmMinute)) void this.#options.panel?.setArmed(false);
    if (Math.floor(from / minutesPerDay) === Math.floor(this.#minute / minutesPerDay)) return;
    for (const walker of this.#walkers) {
      // What yesterday left undone is done first.
      const left = walker.errands.slice(-1).map(({ to }) => ({ minute: 0, to }));
      walker.errands = [...left, ...planDay(walker.who, this.#options.random)];
    }
    this.#minute %= minutesPerDay;
  }

  #send(walker: Walker): void {
    if (walker.walking) return;
    const due = walker.errands.filter((errand) => errand.minute <= this.#minute);
    const next = due.at(-1);
    if (!next) return;
    // A fast clock overtakes errands: only the newest still matters.
    walker.errands.splice(0, due.length);
    walker.walking = true;
    const walk = this.#walk(walker, next.to)
      .catch((error: unknown) => this.#options.say(`${walker.who.name}: ${String(error)}`))
      .finally(() => {
        walker.walking = false;
        this.#walks.delete(walk);
      });
    this.#walks.add(walk);
  }

  async #walk(walker: Walker, to: string): Promise<void> {
    const { random, signal } = this.#options;
    for (const step of route(walker.at, to, walker.who.entrance)) {
      if (signal.aborted) return;
      if (step.door !== undefined && !(await this.#queueAt(step.door, () => this.#pass(walker.who, step))))
        return;
      walker.at = step.to;
      await this.#moved(step.to);
      await sleep(walkMs * (0.6 + random.fraction()));
    }
  }

  async #queueAt(door: string, pass: () => Promise<boolean>): Promise<boolean> {
    const before = this.#lines.get(door) ?? Promise.resolve(true);
    const own = before.then(
      () => (this.#options.signal.aborted ? false : pass()),
      () => pass(),
    );
    this.#lines.set(door, own);
    return await own;
  }

  /** Through a door: badge on the way in, push button on the way out. False when the badge is refused. */
  async #pass(who: Person, { door = '', inward }: Step): Promise<boolean> {
    const { controllers, cameras, random } = this.#options;
    const reader = passages[door]?.reader;
    const credential = { credential: who.badge, holder: who.name, direction: inward ? 'in' : 'out' };
    if (reader !== undefined && inward) {
      if (random.fraction() < deniedShare) {
        await controllers.report(reader, 'access.denied', {
          ...credential,
          reason: 'Badge not allowed here',
        });
        return false;
      }
      await controllers.report(reader, 'access.granted', credential);
    }
    cameras?.sees(door);
    await controllers.report(door, 'door.unlocked');
    await controllers.report(door, 'door.opened', reader === undefined ? {} : { reader });
    await sleep(doorMs * (0.7 + random.fraction()));
    await controllers.report(door, 'door.closed');
    await controllers.report(door, 'door.locked');
    return true;
  }

  async #moved(room: string): Promise<void> {
    const { controllers, cameras, say } = this.#options;
    cameras?.moved(room);
    const detector = motionOf[room];
    if (detector === undefined) return;
    const running = this.#motion.get(detector);
    clearTimeout(running);
    const ended = (): void => {
      this.#motion.delete(detector);
      controllers
        .report(detector, 'motion.ended')
        .catch((error: unknown) => say(`${detector}: ${String(error)}`));
    };
    this.#motion.set(detector, setTimeout(ended, motionMs));
    if (running === undefined) await controllers.report(detector, 'motion.started');
  }
}
