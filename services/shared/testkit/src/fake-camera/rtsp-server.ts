/**
 * The RTSP half of the fake cameras as seen from a test: one process of rtsp-server.py serves any number of cameras, each on
 * a port of its own. What must stay true: the process ends with its standard input, so it never outlives the test.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { logCharsMax, startMsMax, stopMsMax } from '../bounds.ts';
import type { CameraStream } from './options.ts';

export type RtspCamera = {
  camera: string;
  host: string;
  /** 0: the kernel picks one. */
  port: number;
  /** Empty: no authentication. */
  username: string;
  password: string;
  realm: string;
  /** A number that gives the picture its colour. */
  hue: number;
  streams: readonly CameraStream[];
};

export type FakeRtspServer = AsyncDisposable & {
  readonly pid: number | undefined;
  /** @returns the port it listens on. */
  add: (camera: RtspCamera) => Promise<number>;
  /** Closes the camera's port and connections. */
  remove: (camera: string) => Promise<void>;
  /** Another encoder behind the same address; who watches it is cut off. */
  remount: (camera: string, stream: CameraStream) => Promise<void>;
  /** Closes the TCP connections of a camera. @returns how many there were. */
  drop: (camera: string) => Promise<number>;
  /** The TCP connections of a camera, e.g. to prove that one relay serves all viewers. */
  clients: (camera: string) => Promise<number>;
  logs: () => string;
  stop: () => Promise<void>;
};

export type RtspServerOptions = {
  /** Words in front of the command, e.g. `['ip', 'netns', 'exec', name]`. */
  prefix?: readonly [string, ...string[]];
};

type Answer = { id: number; error?: string; port?: number; dropped?: number; clients?: number };
type Waiting = { resolve: (answer: Answer) => void; reject: (error: Error) => void };

const script = fileURLToPath(new URL('rtsp-server.py', import.meta.url));
/** Debian's own: GStreamer's bindings are there, and nowhere else. */
const python = '/usr/bin/python3';
/** Leaves no compiled files in the tree. */
const flags = '-B';

/** Starts the process and waits until it takes cameras. */
export async function startRtspServer(options: RtspServerOptions = {}): Promise<FakeRtspServer> {
  const [command, ...args] =
    options.prefix === undefined ? [python, flags, script] : [...options.prefix, python, flags, script];
  const process = spawn(command, args, { stdio: 'pipe' });
  const link = new Link(process);
  await link.ready();
  const ask = (what: string, camera: string) => link.ask({ do: what, camera });
  const stop = () => link.stop();
  return {
    pid: process.pid,
    add: async (camera) => (await link.ask({ do: 'add', ...camera })).port ?? 0,
    remove: async (camera) => {
      await ask('remove', camera);
    },
    remount: async (camera, stream) => {
      await link.ask({ do: 'remount', camera, stream });
    },
    drop: async (camera) => (await ask('drop', camera)).dropped ?? 0,
    clients: async (camera) => (await ask('clients', camera)).clients ?? 0,
    logs: () => link.logs,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** One JSON line there, one back, told apart by their ids; the process itself says 0 when it is ready. */
class Link {
  logs = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#log(text));
    child.stdin.on('error', (error) => this.#log(`${error.message}\n`));
    child.on('error', (error) => this.#end(error.message));
    child.on('exit', (code, signal) => this.#end(`it ended (${code ?? signal ?? 'unknown'})`));
    createInterface(child.stdout).on('line', (line) => this.#take(line));
  }

  ready(): Promise<Answer> {
    return this.#answer(0, startMsMax);
  }

  async ask(command: Readonly<Record<string, unknown>>): Promise<Answer> {
    this.#last += 1;
    const answer = this.#answer(this.#last, startMsMax);
    this.#child.stdin.write(`${JSON.stringify({ ...command, id: this.#last })}\n`);
    const { error, ...rest } = await answer;
    if (error !== undefined) throw new Error(`The fake RTSP server says ${error}`);
    return rest;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), stopMsMax);
    await gone;
    clearTimeout(timer);
  }

  #answer(id: number, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(this.#failure('no answer')), timeoutMs);
      const done =
        <T>(act: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          this.#waiting.delete(id);
          act(value);
        };
      this.#waiting.set(id, { resolve: done(resolve), reject: done(reject) });
    });
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as Answer;
    this.#waiting.get(answer.id)?.resolve(answer);
  }

  #log(text: string): void {
    this.logs = (this.logs + text).slice(-logCharsMax);
  }

  #end(why: string): void {
    for (const { reject } of [...this.#waiting.values()]) reject(this.#failure(why));
  }

  #failure(why: string): Error {
    return new Error(`The fake RTSP server: ${why}\n${this.logs.slice(-4_000)}`);
  }
}
