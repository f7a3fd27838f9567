/**
 * Janus's streaming plugin: a mountpoint for each stream that somebody watches, made with the first viewer and removed a
 * little after the last. What must stay true: every viewer ends once, and its owner hears why; Janus holds no mountpoint
 * of ours that nobody knows of.
 */
import { AppError, type Logger } from '@siphera/runtime';
import { z } from 'zod';
import type { JanusConnection, JanusMessage, Jsep } from './janus-connection.ts';
import type { JanusLink } from './janus-link.ts';

const plugin = 'janus.plugin.streaming';
/** The last viewer is gone this long before the mountpoint goes: a page that is reloaded finds it. */
const lingerMs = 5_000;
/**
 * What the offer says of H.264, whatever the camera's profile: browsers refuse High in an offer (64001f) and decode it all
 * the same (RFC 6184 §8.1: constrained baseline, level 3.1, packets of any kind).
 */
const h264Fmtp = 'profile-level-id=42e01f;packetization-mode=1';
/** RTP comes from our own ffmpeg: nobody else may put a picture in. */
const loopback = '127.0.0.1';
/** Static payload types of G.711 (RFC 3551 §6). */
const audioTypes = { pcmu: 0, pcma: 8 } as const;

export type RtpSource = {
  videoPort: number;
  audio?: { port: number; codec: keyof typeof audioTypes } | undefined;
};

export type Viewer = {
  /** Janus's offer (SDP), with its candidates. */
  readonly sdp: string;
  /** @throws AppError when Janus does not take the answer. */
  answer(sdp: string): Promise<void>;
  /** Ends the view. Its `onEnd` is not called. */
  hangUp(): void;
};

export type StreamRoomsOptions = {
  link: JanusLink;
  log: Logger;
  viewersMax: number;
};

type Room = {
  id: number;
  ready: Promise<void>;
  viewers: Set<RoomViewer>;
  timer: NodeJS.Timeout | undefined;
  source: RtpSource;
};

const MountpointList = z.object({ list: z.array(z.object({ id: z.number() })) });

export class StreamRooms {
  readonly #options: StreamRoomsOptions;
  readonly #rooms = new Map<string, Room>();
  #control: { connection: JanusConnection; handle: number } | undefined;
  #nextId = 1;
  #viewers = 0;

  constructor(options: StreamRoomsOptions) {
    this.#options = options;
    options.link.on({
      up: (connection) => this.#up(connection),
      down: (why) => this.#down(why),
    });
  }

  get viewers(): number {
    return this.#viewers;
  }

  get mountpoints(): number {
    return this.#rooms.size;
  }

  /**
   * A new viewer of a stream. `name` is the stream's; `source` where its RTP arrives. `onEnd` is called once when the view
   * ends without our doing. @throws AppError `unavailable` while Janus is away, `overloaded` at the bound.
   */
  async watch(
    name: string,
    source: RtpSource,
    on: { up?: () => void; end: (why: string) => void },
  ): Promise<Viewer> {
    if (this.#viewers >= this.#options.viewersMax)
      throw new AppError(
        'overloaded',
        `${this.#options.viewersMax} WebRTC views are open, the most there may be.`,
        {
          hint: 'The picture goes on as fMP4.',
        },
      );
    const connection = this.#options.link.connection();
    const room = this.#room(name, source);
    clearTimeout(room.timer);
    this.#viewers += 1;
    const viewer = new RoomViewer(connection, on, () => this.#left(name, room, viewer));
    room.viewers.add(viewer);
    try {
      await room.ready;
      await viewer.open(room.id);
      return viewer;
    } catch (error) {
      viewer.hangUp();
      throw error;
    }
  }

  /** The stream moved to other ports or is no more: its viewers end, and the next one makes a new mountpoint. */
  close(name: string, why: string): void {
    const room = this.#rooms.get(name);
    if (!room) return;
    this.#remove(name, room);
    for (const viewer of [...room.viewers]) viewer.end(why);
  }

  #room(name: string, source: RtpSource): Room {
    const known = this.#rooms.get(name);
    if (known && sameSource(known.source, source)) return known;
    if (known) this.close(name, 'The stream changed.');
    const id = this.#nextId++;
    const room: Room = { id, ready: this.#create(id, source), viewers: new Set(), timer: undefined, source };
    this.#rooms.set(name, room);
    room.ready.catch(() => {
      if (this.#rooms.get(name) === room) this.#rooms.delete(name);
    });
    return room;
  }

  async #create(id: number, source: RtpSource): Promise<void> {
    const { connection, handle } = this.#requireControl();
    const video = {
      type: 'video',
      mid: 'v',
      port: source.videoPort,
      pt: 96,
      codec: 'h264',
      fmtp: h264Fmtp,
      iface: loopback,
    };
    const media: Record<string, unknown>[] = [video];
    if (source.audio) {
      const { port, codec } = source.audio;
      media.push({ type: 'audio', mid: 'a', port, pt: audioTypes[codec], codec, iface: loopback });
    }
    await connection.message(handle, { request: 'create', type: 'rtp', id, permanent: false, media });
  }

  #left(name: string, room: Room, viewer: RoomViewer): void {
    if (!room.viewers.delete(viewer)) return;
    this.#viewers -= 1;
    if (room.viewers.size > 0 || this.#rooms.get(name) !== room) return;
    room.timer = setTimeout(() => this.#remove(name, room), lingerMs);
  }

  #remove(name: string, room: Room): void {
    clearTimeout(room.timer);
    if (this.#rooms.get(name) === room) this.#rooms.delete(name);
    const control = this.#control;
    if (!control) return;
    room.ready
      .then(() => control.connection.message(control.handle, { request: 'destroy', id: room.id }))
      .catch((error: unknown) => this.#options.log.debug('mountpoint_not_removed', { error, name }));
  }

  /** What an earlier life of ours left in Janus holds ports that are needed again. */
  async #up(connection: JanusConnection): Promise<void> {
    const handle = await connection.attach(plugin, () => undefined);
    const { data } = await connection.message(handle, { request: 'list' });
    for (const { id } of MountpointList.parse(data).list) {
      await connection.message(handle, { request: 'destroy', id });
      this.#nextId = Math.max(this.#nextId, id + 1);
    }
    this.#control = { connection, handle };
  }

  #down(why: string): void {
    this.#control = undefined;
    const rooms = [...this.#rooms.values()];
    this.#rooms.clear();
    for (const room of rooms) {
      clearTimeout(room.timer);
      for (const viewer of [...room.viewers]) viewer.end(why);
    }
  }

  #requireControl(): { connection: JanusConnection; handle: number } {
    if (!this.#control) throw new AppError('unavailable', 'The WebRTC gateway (Janus) is not running.');
    return this.#control;
  }
}

class RoomViewer implements Viewer {
  sdp = '';
  readonly #connection: JanusConnection;
  readonly #on: { up?: () => void; end: (why: string) => void };
  readonly #left: () => void;
  #handle: number | undefined;
  #over = false;

  constructor(
    connection: JanusConnection,
    on: { up?: () => void; end: (why: string) => void },
    left: () => void,
  ) {
    this.#connection = connection;
    this.#on = on;
    this.#left = left;
  }

  async open(mountpoint: number): Promise<void> {
    const handle = await this.#connection.attach(plugin, (message) => this.#hear(message));
    this.#handle = handle;
    // Ended while we waited: whoever ended it could not know the handle.
    if (this.#over) {
      this.#detach(handle);
      throw new AppError('unavailable', 'The view ended before it began.');
    }
    const { jsep } = await this.#connection.message(handle, { request: 'watch', id: mountpoint });
    if (jsep?.type !== 'offer') throw new AppError('unavailable', 'Janus made no offer.');
    this.sdp = jsep.sdp;
  }

  async answer(sdp: string): Promise<void> {
    if (this.#handle === undefined || this.#over) throw new AppError('gone', 'The view has ended.');
    const jsep: Jsep = { type: 'answer', sdp };
    await this.#connection.message(this.#handle, { request: 'start' }, jsep);
  }

  hangUp(): void {
    this.#finish();
  }

  end(why: string): void {
    if (this.#finish()) this.#on.end(why);
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    if (this.#handle !== undefined) this.#detach(this.#handle);
    this.#left();
    return true;
  }

  #detach(handle: number): void {
    // With Janus away the handle is gone as well.
    this.#connection.detach(handle).catch(() => undefined);
  }

  #hear(message: JanusMessage): void {
    switch (message.janus) {
      case 'webrtcup':
        this.#on.up?.();
        break;
      case 'hangup':
      case 'detached':
        this.end(message.reason ?? 'The browser is gone.');
        break;
      case 'event':
        // The mountpoint was destroyed, by us or by somebody with the admin's tools.
        if (statusOf(message) === 'stopped') this.end('The stream has ended.');
        break;
      default:
        // media, slowlink: the player sees by itself.
        break;
    }
  }
}

const statusOf = (message: JanusMessage): unknown =>
  (message.plugindata?.data['result'] as { status?: unknown } | undefined)?.status;

const sameSource = (a: RtpSource, b: RtpSource): boolean =>
  a.videoPort === b.videoPort && a.audio?.port === b.audio?.port && a.audio?.codec === b.audio?.codec;
