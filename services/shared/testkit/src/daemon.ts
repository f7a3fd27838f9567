/**
 * Starts real programs for tests, and ends them. What must stay true: nothing started here outlives the process that
 * started it, everything is ended by its own pid, and a start that fails shows the program's own last words.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { logCharsMax, stopMsMax } from './bounds.ts';
import { waitFor } from './wait.ts';

export type DaemonOptions = {
  name: string;
  command: string;
  args?: readonly string[];
  /** The whole environment of the program is this, PATH and HOME of ours, and nothing else. */
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Resolves to true once the program answers. Asked again and again, for at most `startMs`. */
  ready: () => boolean | Promise<boolean>;
  startMs?: number;
  /** Called with each piece of output, e.g. to show it while developing. */
  onOutput?: (text: string) => void;
};

export type Daemon = AsyncDisposable & {
  readonly name: string;
  readonly pid: number | undefined;
  readonly running: boolean;
  /** Its last output, stdout and stderr mixed as they came. */
  logs: () => string;
  /** Starts it if it does not run, and waits until it is ready. `env` adds to the environment from now on. */
  start: (env?: Readonly<Record<string, string>>) => Promise<void>;
  /** SIGTERM, then SIGKILL after a bound. */
  stop: () => Promise<void>;
  /** SIGKILL now: a power cut for this one process. */
  kill9: () => Promise<void>;
  restart: (env?: Readonly<Record<string, string>>) => Promise<void>;
  /** Stops and continues the process (SIGSTOP, SIGCONT): alive, but silent. */
  freeze: () => void;
  thaw: () => void;
};

const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts a program and waits until it is ready. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const daemon = createDaemon(options);
  await daemon.start();
  return daemon;
}

function createDaemon(options: DaemonOptions): Daemon {
  let child: ChildProcess | undefined;
  let extra: Readonly<Record<string, string>> = {};
  let output = '';
  const running = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const record = (text: string) => {
    output = (output + text).slice(-logCharsMax);
    options.onOutput?.(text);
  };

  const start = async (env: Readonly<Record<string, string>> = {}) => {
    if (running()) return;
    extra = { ...extra, ...env };
    child = launch(options, extra, record);
    try {
      const outcome = await waitFor(
        `${options.name} to be ready`,
        () => ready(options, running()),
        options.startMs,
      );
      if (outcome === 'gone') throw new Error(`${options.name} ended by itself`);
    } catch (error) {
      await end(child, 'SIGKILL');
      throw new Error(`${options.name} did not start:\n${output.slice(-4_000)}`, { cause: error });
    }
  };
  const stop = async () => {
    if (child) await end(child, 'SIGTERM');
  };
  return {
    name: options.name,
    get pid() {
      return running() ? child?.pid : undefined;
    },
    get running() {
      return running();
    },
    logs: () => output,
    start,
    stop,
    kill9: async () => {
      if (child) await end(child, 'SIGKILL');
    },
    restart: async (env) => {
      await stop();
      await start(env);
    },
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  };
}

function launch(
  options: DaemonOptions,
  extra: Readonly<Record<string, string>>,
  record: (text: string) => void,
): ChildProcess {
  const { PATH = '', HOME = '/tmp', NODE_COMPILE_CACHE } = process.env;
  const cache = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
  const child = spawn(options.command, options.args ?? [], {
    cwd: options.cwd,
    env: { PATH, HOME, ...cache, ...options.env, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.setEncoding('utf8').on('data', record);
  child.stderr.setEncoding('utf8').on('data', record);
  child.on('error', (error) => record(`${options.command}: ${error.message}\n`));
  child.on('exit', () => alive.delete(child));
  alive.add(child);
  return child;
}

/** Ends the wait early when the program is already gone: it will never be ready. */
async function ready(options: DaemonOptions, isRunning: boolean): Promise<boolean | 'gone'> {
  if (!isRunning) return 'gone';
  return await options.ready();
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  if (signal === 'SIGKILL') {
    await gone;
    return;
  }
  const timer = new AbortController();
  const late = sleep(stopMsMax, 'late' as const, { signal: timer.signal }).catch(() => 'done' as const);
  const outcome = await Promise.race([gone, late]);
  timer.abort();
  if (outcome === 'late') {
    child.kill('SIGKILL');
    await gone;
  }
}
