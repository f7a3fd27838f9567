/** All relays of the box: one a stream, started by its first listener, ended a little after its last; and what they tell of it. */
import { toRfc3339 } from '@siphera/runtime';
import type { Ground } from '../../ground.ts';
import type { KnownCamera, StatePatch } from '../../domain/camera.ts';
import type { InitSegment, LiveStreams, RtpFeed, StreamKey, StreamListener } from '../../domain/media.ts';
import type { RelayPorts } from '../../domain/relay-command.ts';
import { Relay, type RelayState } from './relay.ts';
import { RtpPorts } from './rtp-ports.ts';

/** A relay without listeners lives this long: somebody who changes the layout comes back. */
const lingerMsDefault = 20_000;
/** How often bitrate and last frame are written into the camera's state. */
const reportMs = 5_000;

type VideoCodec = InitSegment['video'];
type Held = {
  relay: Relay;
  key: StreamKey;
  url: string | undefined;
  /** As the directory said last. */
  video: VideoCodec | undefined;
  linger: NodeJS.Timeout | undefined;
  giveBack: () => void;
};

export class RelayHub implements LiveStreams {
  readonly #ground: Ground;
  readonly #ports: RtpPorts;
  readonly #relays = new Map<string, Held>();
  readonly #lingerMs: number;
  #off: (() => void) | undefined;
  #report: NodeJS.Timeout | undefined;

  constructor(ground: Ground, options: { lingerMs?: number } = {}) {
    this.#ground = ground;
    this.#ports = new RtpPorts(ground.config.RTP_PORTS);
    this.#lingerMs = options.lingerMs ?? lingerMsDefault;
  }

  start(): void {
    this.#off = this.#ground.signals.on((signal) => {
      if (signal.kind === 'directory') this.#directoryChanged(signal.cameraId);
    });
    this.#report = setInterval(() => this.report(), reportMs);
  }

  async stop(): Promise<void> {
    this.#off?.();
    clearInterval(this.#report);
    const all = [...this.#relays.values()];
    for (const held of all) clearTimeout(held.linger);
    this.#relays.clear();
    await Promise.all(all.map((held) => held.relay.stop('The service stops.')));
  }

  listen(key: StreamKey, listener: StreamListener, options: { fromKey?: boolean } = {}): () => void {
    const held = this.#relays.get(name(key)) ?? this.#open(key);
    clearTimeout(held.linger);
    held.linger = undefined;
    const end = held.relay.listen(listener, options.fromKey ?? false);
    return () => {
      end();
      if (held.relay.listeners === 0) this.#linger(held);
    };
  }

  rtp(key: StreamKey): RtpFeed | undefined {
    return this.#relays.get(name(key))?.relay.rtp();
  }

  current(key: StreamKey): { init: InitSegment; lastFragmentMs: number; bitrateBps: number } | undefined {
    return this.#relays.get(name(key))?.relay.current();
  }

  /** Process ids of the ffmpegs at work, for figures. */
  pids(): number[] {
    return [...this.#relays.values()].flatMap(({ relay }) => (relay.pid === undefined ? [] : [relay.pid]));
  }

  report(): void {
    for (const { relay, key } of this.#relays.values()) {
      const current = key.role === 'main' ? relay.current() : undefined;
      if (!current || current.lastFragmentMs === 0) continue;
      this.#ground.setState(key.cameraId, {
        last_frame_at: toRfc3339(current.lastFragmentMs),
        bitrate_bps: current.bitrateBps,
      });
    }
  }

  #open(key: StreamKey): Held {
    const { config, clock, random, log, network } = this.#ground;
    let ports: RelayPorts | undefined;
    const relay = new Relay({
      ffmpeg: config.FFMPEG,
      clock,
      random,
      log: log.child({ camera: key.cameraId, stream: key.role }),
      network,
      ports: () => (ports ??= this.#takePorts(key)),
      stream: () => streamOf(this.#ground.directory.get(key.cameraId), key),
      onState: (state) => this.#changed(key, state),
    });
    const stream = streamOf(this.#ground.directory.get(key.cameraId), key);
    const held: Held = {
      relay,
      key,
      url: stream?.secretUrl,
      video: stream?.video ?? undefined,
      linger: undefined,
      giveBack: () => ports && this.#ports.give(ports),
    };
    this.#relays.set(name(key), held);
    relay.start();
    return held;
  }

  /** What is recorded must not wait for ports of what is watched: without them the picture is shown as fMP4. */
  #takePorts(key: StreamKey): RelayPorts | undefined {
    const { config, log } = this.#ground;
    if (config.JANUS_URL === undefined) return undefined;
    const ports = this.#ports.take();
    if (!ports)
      log.warn('rtp_ports_taken', { camera: key.cameraId, stream: key.role, hint: 'Widen RTP_PORTS.' });
    return ports;
  }

  #linger(held: Held): void {
    clearTimeout(held.linger);
    held.linger = setTimeout(() => {
      if (held.relay.listeners === 0) this.#close(held, 'Nobody listens any more.');
    }, this.#lingerMs);
  }

  #close(held: Held, reason: string): void {
    clearTimeout(held.linger);
    // Closed already: a listener of a camera that was removed has only now let go.
    if (this.#relays.get(name(held.key)) !== held) return;
    this.#relays.delete(name(held.key));
    void held.relay.stop(reason).then(held.giveBack);
    // Nobody takes its picture any more: whether it is there is the link's to say.
    if (held.key.role === 'main')
      this.#say(held.key.cameraId, { connection: 'connecting', problem: null, bitrate_bps: 0 });
    this.#ground.signals.emit({
      kind: 'stream',
      ...held.key,
      connected: false,
      reason,
      atMs: this.#ground.clock.now(),
    });
  }

  #directoryChanged(cameraId: string): void {
    const camera = this.#ground.directory.get(cameraId);
    for (const held of [...this.#relays.values()]) {
      if (held.key.cameraId !== cameraId) continue;
      if (!camera?.enabled) {
        this.#close(held, camera ? 'The camera is switched off.' : 'The camera was removed.');
        continue;
      }
      const stream = streamOf(camera, held.key);
      const video = stream?.video ?? undefined;
      const runs = held.relay.current()?.init.video;
      const isOther = video !== held.video && video !== undefined && runs !== undefined && video !== runs;
      held.video = video;
      if (stream?.secretUrl !== held.url) {
        held.url = stream?.secretUrl;
        held.relay.reconnect('The address of the stream has changed.');
      } else if (isOther) held.relay.reconnect('The codec of the stream has changed.');
    }
  }

  #changed(key: StreamKey, change: RelayState): void {
    const { signals, clock, log } = this.#ground;
    if (key.role === 'main') this.#writeState(key.cameraId, change);
    if (change.state === 'broken' && change.problem)
      log.warn('stream_broken', { camera: key.cameraId, stream: key.role });
    if (change.state === 'connecting' || change.state === 'broken') return;
    const connected = change.state === 'online';
    const reason = connected ? '' : change.problem.text;
    if (connected) log.info('stream_connected', { camera: key.cameraId, stream: key.role });
    else log.warn('stream_lost', { camera: key.cameraId, stream: key.role, reason });
    const init = this.#relays.get(name(key))?.relay.current()?.init;
    signals.emit({
      kind: 'stream',
      ...key,
      connected,
      reason,
      atMs: clock.now(),
      ...(connected && init ? { seen: { video: init.video, width: init.width, height: init.height } } : {}),
    });
  }

  #say(cameraId: string, patch: StatePatch): void {
    // Of a camera that was removed there is nothing to know.
    if (this.#ground.directory.get(cameraId)) this.#ground.setState(cameraId, patch, 'picture');
  }

  #writeState(cameraId: string, change: RelayState): void {
    switch (change.state) {
      case 'connecting':
        this.#say(cameraId, { connection: 'connecting' });
        return;
      case 'online':
        this.#say(cameraId, { connection: 'online', problem: null });
        return;
      case 'broken':
        this.#ground.setState(cameraId, { problem: change.problem?.text ?? null });
        return;
      case 'lost':
        this.#say(cameraId, {
          connection: change.problem.kind === 'unauthorised' ? 'unauthorised' : 'offline',
          problem: change.problem.text,
          bitrate_bps: 0,
        });
    }
  }
}

const name = (key: StreamKey): string => `${key.cameraId} ${key.role}`;

const streamOf = (camera: KnownCamera | undefined, key: StreamKey) =>
  camera?.enabled ? camera.streams.find((stream) => stream.role === key.role) : undefined;
