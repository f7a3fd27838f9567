/** One client of the RTSP server: its requests in order, and its stream once it plays. */
import { AppError, type Clock, type Logger, type Random } from '@siphera/runtime';
import type { Socket } from 'node:net';
import type { InitSegment, LiveStreams } from '../../domain/media.ts';
import { RtpSender } from '../../domain/rtp-sender.ts';
import {
  interleavedChannels,
  rtspAnswer,
  RtspReader,
  type RtspRequest,
  type RtspStatus,
} from '../../domain/rtsp-message.ts';
import type { LinkDoor, Opened } from './link-door.ts';
import { offeredTracks, RtspStream, sdpOf, type OfferedTrack } from './rtsp-stream.ts';

/** A client that does not play says something within this, or is cut. */
const idleMs = 20_000;
/** Waiting bytes beyond which groups of pictures are left out: eight seconds at 4 Mbit/s. */
const waitingBytesMax = 4 * 1024 * 1024;
/** A client that takes nothing at all for this long is gone. */
const stallMs = 15_000;
/** The camera has to be connected first. */
const firstMsMax = 10_000;
/** Requests that wait for one another. */
const pipelinedMax = 16;
const methods = 'OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER';

export type RtspConnectionOptions = {
  streams: LiveStreams;
  door: LinkDoor;
  clock: Clock;
  random: Random;
  log: Logger;
  describe: (error: unknown) => RtspStatus;
};

type Shown = {
  token: string;
  opened: Opened;
  offered: OfferedTrack[];
  stream: RtspStream;
  letGo: () => void;
};

export class RtspConnection {
  readonly #socket: Socket;
  readonly #options: RtspConnectionOptions;
  readonly #reader = new RtspReader();
  readonly #session: string;
  #shown: Shown | undefined;
  #stopListening: (() => void) | undefined;
  #idle: NodeJS.Timeout;
  #stall: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();
  #pending = 0;

  constructor(socket: Socket, options: RtspConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#session = options.random.bytes(8).toString('hex');
    this.#idle = setTimeout(() => socket.destroy(), idleMs);
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#hear(chunk));
    socket.on('drain', () => {
      clearTimeout(this.#stall);
      this.#stall = undefined;
    });
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#gone());
  }

  close(reason: string): void {
    this.#options.log.debug('rtsp_closed', { reason });
    this.#socket.destroy();
  }

  #hear(chunk: Buffer): void {
    let requests: RtspRequest[];
    try {
      requests = this.#reader.push(chunk);
    } catch (error) {
      this.#options.log.debug('rtsp_bad_request', { error });
      this.#socket.end(rtspAnswer(400, '0'));
      return;
    }
    this.#pending += requests.length;
    if (this.#pending > pipelinedMax) {
      this.close('too many requests at once');
      return;
    }
    for (const request of requests)
      this.#work = this.#work.then(async () => {
        await this.#answer(request);
        this.#pending -= 1;
      });
  }

  async #answer(request: RtspRequest): Promise<void> {
    if (this.#socket.destroyed) return;
    if (this.#stopListening === undefined) this.#idle.refresh();
    try {
      await this.#act(request);
    } catch (error) {
      if (!(error instanceof AppError)) this.#options.log.error('rtsp_failed', { error });
      this.#say(this.#options.describe(error), request);
    }
  }

  async #act(request: RtspRequest): Promise<void> {
    switch (request.method) {
      case 'OPTIONS':
        this.#say(200, request, { Public: methods });
        return;
      case 'DESCRIBE':
        await this.#describe(request);
        return;
      case 'SETUP':
        await this.#setUp(request);
        return;
      case 'PLAY':
        this.#play(request);
        return;
      case 'GET_PARAMETER':
        this.#say(200, request, this.#shown ? { Session: this.#session } : {});
        return;
      case 'TEARDOWN':
        this.#say(200, request);
        this.#socket.end();
        return;
      default:
        this.#say(405, request, { Allow: methods });
    }
  }

  async #describe(request: RtspRequest): Promise<void> {
    const { offered } = await this.#show(request);
    const base = `${request.url.replace(/\/$/, '')}/`;
    this.#say(200, request, { 'Content-Type': 'application/sdp', 'Content-Base': base }, sdpOf(offered));
  }

  async #setUp(request: RtspRequest): Promise<void> {
    const channels = interleavedChannels(request.headers.get('transport') ?? '');
    if (!channels) {
      this.#say(461, request);
      return;
    }
    const { offered, stream } = await this.#show(request);
    const track = offered[partsOf(request.url).track ?? (offered.length === 1 ? 0 : -1)];
    if (!track || this.#stopListening) {
      this.#say(track ? 455 : 459, request);
      return;
    }
    stream.setUp(track.track.kind, new RtpSender(track.format, channels, this.#options.random.bytes(10)));
    this.#say(200, request, {
      Transport: `RTP/AVP/TCP;unicast;interleaved=${channels.rtp}-${channels.rtcp}`,
      Session: `${this.#session};timeout=60`,
    });
  }

  #play(request: RtspRequest): void {
    const shown = this.#shown;
    const ready = shown?.offered.flatMap(({ track }, index) => {
      const sender = shown.stream.sender(track.kind);
      return sender ? [{ index, ...sender.start }] : [];
    });
    if (!shown || !ready || ready.length === 0) {
      this.#say(shown ? 455 : 454, request);
      return;
    }
    const base = request.url.replace(/\/(trackID=\d+)?$/, '');
    const info = ready.map(
      ({ index, sequence, timestamp }) => `url=${base}/trackID=${index};seq=${sequence};rtptime=${timestamp}`,
    );
    this.#say(200, request, { Session: this.#session, Range: 'npt=now-', 'RTP-Info': info.join(',') });
    if (this.#stopListening) return;
    clearTimeout(this.#idle);
    const { streams } = this.#options;
    this.#stopListening = streams.listen(
      { cameraId: shown.opened.camera.id, role: 'main' },
      {
        init: (init) => {
          // The same one again at the beginning; a camera that sends another codec now has to be described anew.
          if (!shown.stream.begin(init)) this.close('the codec has changed');
        },
        fragment: (fragment) => this.#send(shown.stream.packets(fragment)),
        lost: () => shown.stream.skip(),
      },
      { fromKey: true },
    );
  }

  #send(packets: readonly Buffer[]): void {
    if (packets.length === 0 || this.#socket.destroyed) return;
    if (this.#socket.writableLength > waitingBytesMax) {
      this.#shown?.stream.skip();
      return;
    }
    this.#socket.cork();
    let more = true;
    for (const packet of packets) more = this.#socket.write(packet);
    this.#socket.uncork();
    if (!more) this.#stall ??= setTimeout(() => this.close('it takes nothing'), stallMs);
  }

  /** Opens the link on its first mention, which counts as one use. @throws AppError. */
  async #show(request: RtspRequest): Promise<Shown> {
    const { token } = partsOf(request.url);
    if (this.#shown) {
      if (this.#shown.token !== token) throw new AppError('not_found', 'A connection shows one camera.');
      return this.#shown;
    }
    const { door } = this.#options;
    const opened = await door.open(token, this.#socket.remoteAddress ?? '', ['rtsp']);
    const init = await this.#firstInit(opened.camera.id);
    const offered = offeredTracks(init);
    if (offered.length === 0)
      throw new AppError('unavailable', 'The codec of the camera cannot go over RTSP.');
    if (this.#socket.destroyed) throw new AppError('gone', 'The client is gone.');
    const letGo = door.hold(opened, ({ reason }) => this.close(reason));
    this.#shown = { token, opened, offered, stream: new RtspStream(init), letGo };
    return this.#shown;
  }

  #firstInit(cameraId: string): Promise<InitSegment> {
    return new Promise((resolve, reject) => {
      let stop = (): void => undefined;
      const timer = setTimeout(() => {
        stop();
        reject(new AppError('device_unavailable', 'The camera sends no picture.'));
      }, firstMsMax);
      const done = (init: InitSegment): void => {
        clearTimeout(timer);
        // Not inside the call that starts to listen.
        setImmediate(() => stop());
        resolve(init);
      };
      stop = this.#options.streams.listen(
        { cameraId, role: 'main' },
        { init: done, fragment: () => undefined, lost: () => undefined },
      );
    });
  }

  #say(status: RtspStatus, { cseq }: RtspRequest, headers: Record<string, string> = {}, body = ''): void {
    if (!this.#socket.destroyed) this.#socket.write(rtspAnswer(status, cseq, headers, body));
  }

  #gone(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#stall);
    this.#stopListening?.();
    this.#shown?.letGo();
  }
}

/** `rtsp://host:port/<token>` with `/trackID=n` behind it. What is no such address has an empty token. */
function partsOf(url: string): { token: string; track: number | undefined } {
  const [, token = '', track] = /^rtsps?:\/\/[^/]+\/([\w-]{20,128})(?:\/(?:trackID=(\d))?)?$/.exec(url) ?? [];
  return { token, track: track === undefined ? undefined : Number(track) };
}
