/** What a call sounds like before anybody speaks: the ring of the one who is called, the ringback of the caller. Made, not loaded. */

type Pattern = { hz: readonly [number, number]; onMs: number; everyMs: number; gain: number };
/** A warble of its own, so that a call is never taken for an alarm; the ringback as in a European telephone network (425 Hz). */
const ring: Pattern = { hz: [480, 620], onMs: 900, everyMs: 2_400, gain: 0.3 };
const ringback: Pattern = { hz: [425, 425], onMs: 1_000, everyMs: 4_000, gain: 0.08 };
/** Somebody waits while one talks: two short beeps, over the voice and not instead of it. */
const knock: Pattern = { hz: [425, 425], onMs: 200, everyMs: 5_000, gain: 0.06 };
/** A hidden tab's timers may run once a minute, so all of a call's ringing is put on the audio clock at once. */
const scheduledMs = 60_000;
const wobbleMs = 60;

export class CallTones {
  #context: AudioContext | undefined;
  #bus: GainNode | undefined;

  ring(on: boolean): void {
    this.#play(on ? ring : undefined);
  }

  ringback(on: boolean): void {
    this.#play(on ? ringback : undefined);
  }

  knock(on: boolean): void {
    this.#play(on ? knock : undefined);
  }

  #play(pattern: Pattern | undefined): void {
    this.#bus?.disconnect();
    this.#bus = undefined;
    if (!pattern) return;
    this.#context ??= new AudioContext();
    const context = this.#context;
    // Without a click before it stays silent; the ring is on the screen as well.
    void context.resume();
    const bus = context.createGain();
    bus.gain.value = pattern.gain;
    bus.connect(context.destination);
    this.#bus = bus;
    for (let atMs = 0; atMs < scheduledMs; atMs += pattern.everyMs)
      burst(context, bus, pattern, context.currentTime + 0.05 + atMs / 1_000);
  }
}

function burst(context: AudioContext, bus: GainNode, { hz, onMs }: Pattern, start: number): void {
  const oscillator = context.createOscillator();
  for (let ms = 0; ms < onMs; ms += wobbleMs)
    oscillator.frequency.setValueAtTime(hz[(ms / wobbleMs) % 2 === 0 ? 0 : 1], start + ms / 1_000);
  oscillator.connect(bus);
  oscillator.start(start);
  oscillator.stop(start + onMs / 1_000);
}
