/**
 * Makes the tones with Web Audio: no file to load, nothing that can be missing when it matters. Tones are scheduled on the
 * audio clock well ahead, because a hidden tab's timers may run once a minute only.
 */
import type { Severity } from '@siphera/contract';
import type { AlarmPlan } from './alarm-policy.ts';

type Note = { hz: number; atMs: number; forMs: number; toHz?: number };

/** Two-tone for critical, rising thirds below; each severity is known by its rhythm as much as by its pitch. */
const tones: Record<Severity, readonly Note[]> = {
  critical: [
    { hz: 960, toHz: 720, atMs: 0, forMs: 260 },
    { hz: 960, toHz: 720, atMs: 300, forMs: 260 },
    { hz: 960, toHz: 720, atMs: 600, forMs: 260 },
  ],
  high: [
    { hz: 784, atMs: 0, forMs: 170 },
    { hz: 988, atMs: 200, forMs: 170 },
    { hz: 784, atMs: 400, forMs: 170 },
  ],
  medium: [
    { hz: 659, atMs: 0, forMs: 180 },
    { hz: 784, atMs: 210, forMs: 220 },
  ],
  low: [{ hz: 587, atMs: 0, forMs: 240 }],
  info: [{ hz: 523, atMs: 0, forMs: 180 }],
};
/** Longer than the minute a hidden tab may sleep. */
const horizonMs = 75_000;
/** Scheduled again when less than this is left. */
const refillMs = 30_000;
/** A sound card asleep takes this long to wake after a click; without a click nothing will come. */
const startMsMax = 2_500;
const blockedMsMax = 150;
const attackS = 0.012;
const volume = 0.5;

export class AlarmPlayer {
  #context: AudioContext | undefined;
  #bus: GainNode | undefined;
  #scheduledUntil = 0;

  /** True when the browser lets us sound. */
  get audible(): boolean {
    return this.#context?.state === 'running';
  }

  /** Asks the browser for sound; works only in or after a click or key press. */
  async unlock(): Promise<boolean> {
    this.#context ??= new AudioContext({ latencyHint: 'interactive' });
    if (this.#context.state !== 'running') {
      // A blocked context never settles this promise: do not wait for it alone.
      const patienceMs = navigator.userActivation?.isActive ? startMsMax : blockedMsMax;
      await Promise.race([this.#context.resume(), new Promise((resolve) => setTimeout(resolve, patienceMs))]);
    }
    return this.audible;
  }

  /** Calls back whenever the browser allows or blocks sound. */
  onChange(listener: () => void): void {
    this.#context?.addEventListener('statechange', listener);
  }

  /** Plays a tone once. */
  once(severity: Severity, gain: number): void {
    const context = this.#context;
    if (!context) return;
    const bus = this.#makeBus(context, gain);
    this.#tone(context, bus, severity, context.currentTime + 0.02);
  }

  /** Starts a new plan: what was scheduled before is dropped. */
  start(plan: AlarmPlan): void {
    this.#bus?.disconnect();
    this.#bus = undefined;
    const context = this.#context;
    if (plan.kind === 'silent' || !context) return;
    this.#bus = this.#makeBus(context, plan.gain);
    this.#scheduledUntil = context.currentTime + 0.03;
    this.keepUp(plan);
  }

  /** Schedules more of the running plan when little is left. */
  keepUp(plan: AlarmPlan): void {
    const context = this.#context;
    if (plan.kind === 'silent' || !context || !this.#bus) return;
    if ((this.#scheduledUntil - context.currentTime) * 1_000 > refillMs) return;
    const end = context.currentTime + horizonMs / 1_000;
    for (
      let at = Math.max(this.#scheduledUntil, context.currentTime);
      at < end;
      at += plan.periodMs / 1_000
    ) {
      this.#tone(context, this.#bus, plan.severity, at);
      this.#scheduledUntil = at + plan.periodMs / 1_000;
    }
  }

  #makeBus(context: AudioContext, gain: number): GainNode {
    const bus = context.createGain();
    bus.gain.value = gain * volume;
    bus.connect(context.destination);
    return bus;
  }

  #tone(context: AudioContext, bus: GainNode, severity: Severity, at: number): void {
    for (const note of tones[severity]) {
      const start = at + note.atMs / 1_000;
      const end = start + note.forMs / 1_000;
      const oscillator = context.createOscillator();
      const envelope = context.createGain();
      oscillator.type = severity === 'critical' ? 'square' : 'triangle';
      oscillator.frequency.setValueAtTime(note.hz, start);
      if (note.toHz) oscillator.frequency.linearRampToValueAtTime(note.toHz, end);
      envelope.gain.setValueAtTime(0, start);
      envelope.gain.linearRampToValueAtTime(severity === 'critical' ? 0.6 : 1, start + attackS);
      envelope.gain.setValueAtTime(severity === 'critical' ? 0.6 : 1, end - attackS);
      envelope.gain.linearRampToValueAtTime(0, end);
      oscillator.connect(envelope).connect(bus);
      oscillator.start(start);
      oscillator.stop(end);
    }
  }
}
