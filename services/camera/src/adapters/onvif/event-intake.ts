/**
 * What cameras report → events of the contract, in the outbox and to the other parts. What must stay true: `Initialized` is a
 * state and no edge; one motion is one motion, however many detectors of the camera see it; a motion that nobody ends is ended
 * by the hold, after a restart too, because it is a row.
 */
import type { KnownCamera, Signal } from '../../domain/camera.ts';
import { cameraEvent, happenedMs, titleOf } from '../../domain/onvif/camera-event.ts';
import { eventId, meaningOf, type Meaning, type Notification } from '../../domain/onvif/notifications.ts';
import type { Ground } from '../../ground.ts';
import type { OnvifStateStore } from '../../store/onvif-state.store.ts';

type Arrival = { camera: KnownCamera; one: Notification; key: string; atMs: number; receivedMs: number };
type IntakeGround = Pick<Ground, 'clock' | 'outbox' | 'signals' | 'directory' | 'setState' | 'metrics'>;
type Level = Extract<Meaning, { on: boolean }>;
type Edge = Exclude<Meaning, { on: boolean }>;

const edgeTypes = {
  line: 'camera.line_crossed',
  intrusion: 'camera.intrusion',
  analytics: 'camera.analytics',
} as const;
const levelTypes = {
  tamper: { on: 'tamper.alarm', off: 'tamper.restored' },
  input: { on: 'camera.input_on', off: 'camera.input_off' },
} as const;
/** A motion under way is written down again at most this often. */
const seenMs = 1_000;

export class EventIntake {
  readonly #ground: IntakeGround;
  readonly #store: OnvifStateStore;
  readonly #events;
  /** Relays, by camera and token: cameras tell their state by events alone. */
  readonly #relays = new Map<string, boolean>();

  constructor(ground: IntakeGround, store: OnvifStateStore) {
    this.#ground = ground;
    this.#store = store;
    this.#events = ground.metrics.counter('events_total', 'What cameras reported', ['type']);
  }

  /** @param offsetMs the camera's clock minus ours. */
  take(camera: KnownCamera, notifications: readonly Notification[], offsetMs: number): void {
    const receivedMs = this.#ground.clock.now();
    for (const one of notifications) {
      const meaning = meaningOf(one);
      if (!meaning) continue;
      const key = `${one.topic}|${one.source}`;
      const atMs = happenedMs(one.utcTime, offsetMs, receivedMs);
      const signals = this.#store.together(() => this.#hear({ camera, one, key, atMs, receivedMs }, meaning));
      this.#tell(camera.id, signals);
    }
  }

  /** Ends motions that the camera has not confirmed for as long as its hold. */
  sweep(): void {
    const now = this.#ground.clock.now();
    for (const motion of this.#store.motions()) {
      const camera = this.#ground.directory.get(motion.cameraId);
      if (!camera || now - motion.seenMs < camera.motionHoldMs) continue;
      const signals = this.#store.together(() =>
        this.#endMotion(camera, motion.source, now, 'The camera did not end it; the hold did'),
      );
      this.#tell(camera.id, signals);
    }
  }

  /** States that parts must know after a start: motions go on. */
  recall(cameraId: string): void {
    if (this.#store.motionsOf(cameraId).length > 0) this.#ground.setState(cameraId, { motion: true });
  }

  inputState(cameraId: string, token: string): boolean | undefined {
    return this.#store.level(cameraId, `Device/Trigger/DigitalInput|${token}`);
  }

  relayState(cameraId: string, token: string): boolean | undefined {
    return this.#relays.get(`${cameraId}|${token}`);
  }

  noteRelay(cameraId: string, token: string, on: boolean): void {
    this.#relays.set(`${cameraId}|${token}`, on);
  }

  #hear(arrival: Arrival, meaning: Meaning): Signal[] {
    const { camera, one } = arrival;
    if (one.operation === 'Deleted') return [];
    switch (meaning.kind) {
      case 'motion':
        return this.#motion(arrival, meaning.on);
      case 'tamper':
      case 'input':
        return this.#level(arrival, meaning);
      case 'relay':
        this.noteRelay(camera.id, one.source, meaning.on);
        return [];
      default:
        return one.operation === 'Initialized' ? [] : this.#edge(arrival, meaning);
    }
  }

  #motion({ camera, one, key, atMs, receivedMs }: Arrival, on: boolean): Signal[] {
    if (!on) return this.#endMotion(camera, key, atMs);
    const open = this.#store.motionsOf(camera.id);
    const same = open.find(({ source }) => source === key);
    if (same) {
      if (receivedMs - same.seenMs >= seenMs) this.#store.putMotion({ ...same, seenMs: receivedMs });
      return [];
    }
    const initial = one.operation === 'Initialized';
    const toldBefore = open.some(({ told }) => told);
    const told = toldBefore || !initial;
    for (const other of open) if (told && !other.told) this.#store.putMotion({ ...other, told });
    this.#store.putMotion({
      cameraId: camera.id,
      source: key,
      topic: one.topic,
      startedMs: atMs,
      seenMs: receivedMs,
      told,
    });
    const begins: Signal[] =
      open.length === 0 ? [{ kind: 'motion', cameraId: camera.id, on: true, atMs }] : [];
    if (initial || toldBefore) return begins;
    const id = eventId(camera.id, 'motion.started', key, one.utcTime);
    return [...begins, this.#event(camera, { id, type: 'motion.started', atMs, data: sourceOf(one) })];
  }

  #endMotion(camera: KnownCamera, key: string, atMs: number, note?: string): Signal[] {
    const open = this.#store.motionsOf(camera.id);
    const ended = open.find(({ source }) => source === key);
    if (!ended) return [];
    this.#store.removeMotion(camera.id, key);
    if (open.length > 1) return [];
    const over: Signal = { kind: 'motion', cameraId: camera.id, on: false, atMs };
    if (!ended.told) return [over];
    const data = { topic: ended.topic, ...(note === undefined ? {} : { note }) };
    const id = eventId(camera.id, 'motion.ended', key, ended.startedMs);
    return [over, this.#event(camera, { id, type: 'motion.ended', atMs, data })];
  }

  #level({ camera, one, key, atMs, receivedMs }: Arrival, { kind, on }: Level): Signal[] {
    if (kind !== 'tamper' && kind !== 'input') return [];
    const before = this.#store.level(camera.id, key);
    if (before === on) return [];
    this.#store.putLevel(camera.id, key, on, receivedMs);
    // A tamper that ended while nobody listened must not stand for ever; anything else that is only a state is no event.
    if (one.operation === 'Initialized' && !(kind === 'tamper' && before === true)) return [];
    const type = levelTypes[kind][on ? 'on' : 'off'];
    const id = eventId(camera.id, type, key, one.utcTime);
    return [this.#event(camera, { id, type, atMs, data: sourceOf(one) })];
  }

  #edge({ camera, one, key, atMs }: Arrival, { kind, text }: Edge): Signal[] {
    const type = edgeTypes[kind];
    const id = eventId(camera.id, type, key, one.utcTime, text);
    return [this.#event(camera, { id, type, atMs, data: { ...sourceOf(one), note: text } })];
  }

  #event(camera: KnownCamera, what: Parameters<typeof cameraEvent>[1]): Signal {
    this.#ground.outbox.event(cameraEvent(camera, what));
    this.#events.inc({ type: what.type });
    return {
      kind: 'happened',
      cameraId: camera.id,
      type: what.type,
      title: titleOf(what.type),
      atMs: what.atMs,
      eventId: what.id,
    };
  }

  #tell(cameraId: string, signals: readonly Signal[]): void {
    for (const signal of signals) {
      if (signal.kind === 'motion') this.#ground.setState(cameraId, { motion: signal.on });
      this.#ground.signals.emit(signal);
    }
  }
}

const sourceOf = ({ topic, source }: Notification): Record<string, unknown> => ({ topic, source });
