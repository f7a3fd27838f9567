/**
 * The connection to Janus that comes back by itself. Whatever stood in Janus is gone for us when it breaks: who holds
 * something there is told, and starts again from nothing, because Janus may have been restarted or not.
 */
import { AppError, type Clock, type Logger, type Random } from '@siphera/runtime';
import { JanusConnection } from './janus-connection.ts';

/** Between two tries, doubling; with jitter, so that services do not knock together. */
const retryMsMin = 250;
const retryMsMax = 5_000;

export type JanusLinkOptions = {
  url: string;
  secret: string;
  clock: Clock;
  log: Logger;
  random: Random;
};

export type LinkListener = {
  /** A new connection; awaited before anybody else may use it. */
  up?(connection: JanusConnection): Promise<void>;
  down?(why: string): void;
};

export class JanusLink {
  readonly #options: JanusLinkOptions;
  readonly #listeners = new Set<LinkListener>();
  #connection: JanusConnection | undefined;
  #retryMs = retryMsMin;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #told = false;

  constructor(options: JanusLinkOptions) {
    this.#options = options;
  }

  on(listener: LinkListener): void {
    this.#listeners.add(listener);
  }

  /** Tries until Janus answers; does not wait for it. */
  start(): void {
    this.#connect().catch((error: unknown) => {
      const { log, random } = this.#options;
      // Once: a box without Janus would fill its log.
      if (!this.#told) log.warn('janus_away', { error });
      this.#told = true;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.start(), this.#retryMs * (0.5 + random.fraction()));
      this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  isUp(): boolean {
    return this.#connection !== undefined;
  }

  /** @throws AppError `unavailable` while Janus is away. */
  connection(): JanusConnection {
    if (!this.#connection)
      throw new AppError('unavailable', 'The WebRTC gateway (Janus) is not running.', {
        hint: 'The picture goes on as fMP4, half a second later. See `siphera doctor` on the box.',
      });
    return this.#connection;
  }

  async #connect(): Promise<void> {
    const { url, secret, log, random } = this.#options;
    const connection = await JanusConnection.open({
      url,
      secret,
      log,
      random,
      onClosed: (why) => this.#down(connection, why),
    });
    try {
      for (const listener of this.#listeners) await listener.up?.(connection);
    } catch (error) {
      connection.close();
      throw error;
    }
    if (this.#stopped) {
      connection.close();
      return;
    }
    this.#connection = connection;
    this.#retryMs = retryMsMin;
    this.#told = false;
    log.info('janus_connected', { url });
  }

  #down(connection: JanusConnection, why: string): void {
    // One that broke before it was taken into use is retried by `start`.
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    if (!this.#stopped) this.#options.log.warn('janus_lost', { why });
    for (const listener of this.#listeners) listener.down?.(why);
    if (!this.#stopped) this.start();
  }
}
