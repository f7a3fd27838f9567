/**
 * One WebSocket to Janus and one session on it (Janus API over WebSockets). What must stay true: every request ends, by an
 * answer, a timeout or the end of the connection; after that end nothing is asked of it any more.
 */
import { AppError, type Logger, type Random } from '@siphera/runtime';
import { z } from 'zod';

/** Janus answers within milliseconds; gathering candidates for an offer takes the longest. */
const answerMsMax = 5_000;
const openMsMax = 3_000;
/** Below Janus's session_timeout of 60 s, and often enough to notice a machine that is gone. */
const keepAliveMs = 5_000;
/** Requests under way; a page asks for a few dozen views at most. */
const requestsMax = 1_000;

const Jsep = z.object({ type: z.enum(['offer', 'answer']), sdp: z.string() });
export type Jsep = z.infer<typeof Jsep>;
const Message = z.object({
  janus: z.string(),
  transaction: z.string().optional(),
  sender: z.number().optional(),
  reason: z.string().optional(),
  data: z.object({ id: z.number() }).optional(),
  plugindata: z.object({ data: z.record(z.string(), z.unknown()) }).optional(),
  jsep: Jsep.optional(),
  error: z.object({ code: z.number(), reason: z.string() }).optional(),
});
export type JanusMessage = z.infer<typeof Message>;

type Waiting = {
  resolve: (message: JanusMessage) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
  /** An `ack` is the whole answer; to a plugin's message it only says that the answer comes later. */
  ends: 'ack' | 'answer';
};

export type ConnectionOptions = {
  /** ws://host:port */
  url: string;
  /** The api_secret: a full key to this Janus, so it never leaves the service. */
  secret: string;
  log: Logger;
  random: Random;
  /** The connection is over, for whatever reason; called once, and only when it was open. */
  onClosed(why: string): void;
};

export class JanusConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #handlers = new Map<number, (message: JanusMessage) => void>();
  #session = 0;
  #keepAlive: NodeJS.Timeout | undefined;
  #state: 'opening' | 'open' | 'closed' = 'opening';

  /** Resolves when there is a session. @throws AppError `unavailable`. */
  static async open(options: ConnectionOptions): Promise<JanusConnection> {
    const connection = new JanusConnection(options);
    try {
      await connection.#opened();
      const { data } = await connection.#request({ janus: 'create' });
      connection.#session = data?.id ?? 0;
      connection.#state = 'open';
      connection.#keepAlive = setInterval(() => connection.#prove(), keepAliveMs);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = new WebSocket(options.url, 'janus-protocol');
    this.#socket.addEventListener('message', ({ data }) => this.#hear(data));
    this.#socket.addEventListener('close', () => this.#end('Janus closed the connection'));
    this.#socket.addEventListener('error', () => this.#end('The connection to Janus failed'));
  }

  /** Attaches to a plugin; `onMessage` hears what Janus says of the handle by itself. */
  async attach(plugin: string, onMessage: (message: JanusMessage) => void): Promise<number> {
    const { data } = await this.#request({ janus: 'attach', plugin, session_id: this.#session });
    if (!data) throw new AppError('unavailable', 'Janus attached without a handle.');
    this.#handlers.set(data.id, onMessage);
    return data.id;
  }

  async detach(handle: number): Promise<void> {
    this.#handlers.delete(handle);
    await this.#request({ janus: 'detach', session_id: this.#session, handle_id: handle });
  }

  /** Sends a plugin its request and waits for what it says. @throws AppError `unavailable` with Janus's own words. */
  async message(
    handle: number,
    body: Record<string, unknown>,
    jsep?: Jsep,
  ): Promise<{ data: Record<string, unknown>; jsep: Jsep | undefined }> {
    const answer = await this.#request({
      janus: 'message',
      session_id: this.#session,
      handle_id: handle,
      body,
      ...(jsep ? { jsep } : {}),
    });
    const data = answer.plugindata?.data ?? {};
    if (typeof data['error'] === 'string')
      throw new AppError('unavailable', `Janus refused: ${data['error']}`, {
        extra: { janus_code: data['error_code'] },
      });
    return { data, jsep: answer.jsep };
  }

  close(): void {
    this.#end('closed by us');
  }

  async #opened(): Promise<void> {
    const { url } = this.#options;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new AppError('unavailable', `Janus does not answer at ${url}.`)),
        openMsMax,
      );
      this.#socket.addEventListener('open', () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.addEventListener('close', () => {
        clearTimeout(timer);
        reject(new AppError('unavailable', `Janus does not take connections at ${url}.`));
      });
    });
  }

  /** A request that gets no answer means that the other end is gone, whatever TCP believes. */
  #prove(): void {
    this.#request({ janus: 'keepalive', session_id: this.#session }).catch((error: unknown) =>
      this.#end(error instanceof Error ? error.message : 'no answer'),
    );
  }

  #request(body: Record<string, unknown>): Promise<JanusMessage> {
    if (this.#state === 'closed') return Promise.reject(new AppError('unavailable', 'Janus is away.'));
    if (this.#waiting.size >= requestsMax)
      return Promise.reject(new AppError('overloaded', 'Too many requests wait for Janus.'));
    const transaction = this.#options.random.uuid();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(transaction);
        reject(new AppError('unavailable', `Janus did not answer ${String(body['janus'])} in time.`));
      }, answerMsMax);
      const ends = body['janus'] === 'keepalive' ? 'ack' : 'answer';
      this.#waiting.set(transaction, { resolve, reject, timer, ends });
      this.#socket.send(JSON.stringify({ ...body, transaction, apisecret: this.#options.secret }));
    });
  }

  #hear(data: unknown): void {
    const message = read(data);
    if (!message) {
      this.#options.log.warn('janus_message_not_understood');
      return;
    }
    const waiting = message.transaction === undefined ? undefined : this.#waiting.get(message.transaction);
    if (waiting && message.transaction !== undefined) {
      if (message.janus === 'ack' && waiting.ends === 'answer') return;
      this.#waiting.delete(message.transaction);
      clearTimeout(waiting.timer);
      if (message.error)
        waiting.reject(
          new AppError('unavailable', `Janus refused: ${message.error.reason} (${message.error.code})`),
        );
      else waiting.resolve(message);
      return;
    }
    if (message.janus === 'timeout') this.#end('Janus ended the session');
    if (message.sender !== undefined) this.#handlers.get(message.sender)?.(message);
  }

  #end(why: string): void {
    if (this.#state === 'closed') return;
    const wasOpen = this.#state === 'open';
    this.#state = 'closed';
    clearInterval(this.#keepAlive);
    this.#socket.close();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new AppError('unavailable', `${why}.`));
    }
    this.#waiting.clear();
    this.#handlers.clear();
    if (wasOpen) this.#options.onClosed(why);
  }
}

function read(data: unknown): JanusMessage | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    return Message.safeParse(JSON.parse(data)).data;
  } catch {
    // Not JSON: said by the caller.
    return undefined;
  }
}
