/** What a fake camera knows and what was done to it. The ONVIF services read and change it; the test looks at it. */
import type { CameraFaults, CameraSpec, CameraStream } from './options.ts';
import { type Notification, offer, type Subscription, Subscriptions } from './subscriptions.ts';

export type PtzCommand = {
  operation: string;
  /** Our clock, not the camera's. */
  atMs: number;
  pan?: number;
  tilt?: number;
  zoom?: number;
  preset?: string;
  timeoutMs?: number;
};

export type RelayCommand = { token: string; active: boolean; atMs: number };
export type Position = { pan: number; tilt: number; zoom: number };
export type Addresses = { host: string; httpPort: number; rtspPort: number };

const still: Position = { pan: 0, tilt: 0, zoom: 0 };

export class CameraState {
  readonly spec: CameraSpec;
  readonly faults: CameraFaults;
  readonly subscriptions = new Subscriptions();
  readonly ptzLog: PtzCommand[] = [];
  readonly relayLog: RelayCommand[] = [];
  readonly encoderLog: { token: string; changed: Partial<CameraStream> }[] = [];
  readonly presets = new Map<string, { name: string; position: Position }>();
  /** The operations that were asked, by name, oldest first. */
  readonly calls: string[] = [];
  readonly streams: CameraStream[];
  addresses: Addresses;
  clockOffsetMs: number;
  /** SystemReboot calls this. */
  reboot: () => void = () => undefined;
  /** A client set another codec: the picture changes with it. */
  remount: (stream: CameraStream) => Promise<void> = () => Promise.resolve();
  readonly #properties = new Map<string, Notification>();
  #position: Position = { ...still };
  #speed: Position = { ...still };
  #movedAtMs = 0;
  #movesUntilMs = 0;

  constructor(spec: CameraSpec, faults: CameraFaults, addresses: Addresses) {
    this.spec = spec;
    this.faults = faults;
    this.addresses = addresses;
    this.clockOffsetMs = spec.clockOffsetMs;
    this.streams = spec.streams.map((stream) => ({ ...stream }));
  }

  /** By the camera's clock. */
  now(): number {
    return Date.now() + this.clockOffsetMs;
  }

  httpUrl(path: string): string {
    return `http://${this.faults.xaddrHost ?? this.addresses.host}:${this.addresses.httpPort}${path}`;
  }

  /** As told by GetStreamUri: without credentials. */
  rtspUrl(stream: string): string {
    const { host, rtspPort } = this.addresses;
    return `rtsp://${this.faults.xaddrHost ?? host}:${rtspPort}/${this.spec.name}/${stream}`;
  }

  /** Tells all subscribers of a property's change, and new ones of its state (Core specification, "Properties"). */
  changeProperty(notification: Omit<Notification, 'atMs' | 'operation'>): void {
    const key = JSON.stringify([notification.topic, notification.source]);
    const changed: Notification = { ...notification, operation: 'Changed', atMs: this.now() };
    this.#properties.set(key, changed);
    this.subscriptions.publish(changed);
  }

  /** A property has a state from the start, and says so only to those who ask. */
  setProperty(notification: Omit<Notification, 'atMs' | 'operation'>): void {
    const key = JSON.stringify([notification.topic, notification.source]);
    this.#properties.set(key, { ...notification, atMs: this.now() });
  }

  /** An event that is no property: it happens and has no state. */
  announce(notification: Omit<Notification, 'atMs' | 'operation'>): void {
    this.subscriptions.publish({ ...notification, atMs: this.now() });
  }

  /** The state of every property, as a new subscription and a synchronization point want it. */
  offerProperties(subscription: Subscription): void {
    for (const property of this.#properties.values()) {
      offer(subscription, { ...property, operation: 'Initialized' });
    }
  }

  position(): Position {
    const until = Math.min(performance.now(), this.#movesUntilMs);
    const seconds = Math.max(0, until - this.#movedAtMs) / 1_000;
    const moved = (from: number, speed: number, low: number) =>
      Math.min(1, Math.max(low, from + speed * seconds));
    const { pan, tilt, zoom } = this.#position;
    return {
      pan: moved(pan, this.#speed.pan, -1),
      tilt: moved(tilt, this.#speed.tilt, -1),
      zoom: moved(zoom, this.#speed.zoom, 0),
    };
  }

  get moving(): boolean {
    return performance.now() < this.#movesUntilMs && Object.values(this.#speed).some((speed) => speed !== 0);
  }

  move(speed: Position, timeoutMs: number): void {
    this.place(this.position());
    this.#speed = speed;
    this.#movesUntilMs = this.#movedAtMs + timeoutMs;
  }

  place(position: Position): void {
    this.#position = position;
    this.#speed = { ...still };
    this.#movedAtMs = performance.now();
    this.#movesUntilMs = this.#movedAtMs;
  }
}
