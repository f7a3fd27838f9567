/** SIPp with scenarios of `sipp-scenarios/`, as a trunk, a phone or a PSAP, and what it sent and received. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import { parseSip, type SipMessage } from './sip-message.ts';
import { waitFor } from './wait.ts';

export type SippOptions = {
  /** A file of `sipp-scenarios/` without `.xml`, or a path. */
  scenario: string;
  dir: string;
  /** host:port that a caller (uac) calls. */
  remote?: string;
  address?: string;
  port?: number;
  /** Values for `[name]` in the scenario. */
  keys?: Readonly<Record<string, string | number>>;
  /** Calls in all, at once, and a second. */
  calls?: number;
  limit?: number;
  rate?: number;
  auth?: { username: string; password: string };
  network?: NetworkNamespace;
  more?: readonly string[];
};
export type SippMessage = SipMessage & { sent: boolean };
export type Sipp = AsyncDisposable & {
  daemon: Daemon;
  address: string;
  port: number;
  messages: () => Promise<SippMessage[]>;
  /** Resolves with its exit: 0 when all calls went as the scenario says. */
  ended: () => Promise<number>;
  stop: () => Promise<void>;
};

let started = 0;

/** Starts it and returns while it runs: a `uas` runs until it is stopped. */
export async function startSipp(options: SippOptions): Promise<Sipp> {
  started += 1;
  const { dir, address = '127.0.0.1', scenario, network } = options;
  const port = options.port ?? (await freePort());
  const base = join(dir, `sipp-${process.pid}-${started}`);
  const file = scenario.includes('/')
    ? scenario
    : join(repositoryRoot, 'services/shared/testkit/src/sipp-scenarios', `${scenario}.xml`);
  const args = [
    ...(options.remote === undefined ? [] : [options.remote]),
    ...[
      '-sf',
      file,
      '-i',
      address,
      '-p',
      String(port),
      '-nostdin',
      '-trace_msg',
      '-message_file',
      `${base}.messages`,
    ],
    ...['-trace_err', '-error_file', `${base}.errors`, '-timeout_error', '-skip_rlimit'],
    ...['-cp', String(await freePort())],
    ...Object.entries(options.keys ?? {}).flatMap(([name, value]) => ['-key', name, String(value)]),
    ...(options.calls === undefined ? [] : ['-m', String(options.calls)]),
    ...(options.limit === undefined ? [] : ['-l', String(options.limit)]),
    ...(options.rate === undefined ? [] : ['-r', String(options.rate)]),
    ...(options.auth === undefined ? [] : ['-au', options.auth.username, '-ap', options.auth.password]),
    ...(options.more ?? []),
  ];
  // The exit is read from the output: one that has ended is no failure to start.
  const script = [
    `trap 'kill "$child" 2>/dev/null; exit' TERM`,
    'sipp "$@" >/dev/null & child=$!; wait "$child"; echo "SIPP-ENDED $?"',
    'sleep infinity & child=$!; wait "$child"',
  ].join('\n');
  const words = ['-c', script, 'sipp', ...args];
  const daemon = await startDaemon({
    name: `sipp ${scenario}`,
    ...(network?.command('bash', words) ?? { command: 'bash', args: words }),
    env: { TERM: 'dumb' },
    cwd: dir,
    ready: () => true,
  });
  const stop = () => daemon.stop();
  return {
    daemon,
    address,
    port,
    messages: () => readMessages(`${base}.messages`),
    ended: async () =>
      Number(await waitFor('sipp to end', () => /SIPP-ENDED (\d+)/.exec(daemon.logs())?.[1])),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Runs it to its end. @throws when a call went otherwise than the scenario says. */
export async function runSipp(options: SippOptions): Promise<SippMessage[]> {
  const sipp = await startSipp({ calls: 1, ...options });
  try {
    const code = await sipp.ended();
    const messages = await sipp.messages();
    if (code !== 0)
      throw new Error(
        `sipp ended with ${code} after ${messages.map(({ startLine }) => startLine).join(' | ')}`,
      );
    return messages;
  } finally {
    await sipp.stop();
  }
}

async function readMessages(path: string): Promise<SippMessage[]> {
  let text: string;
  try {
    text = await readFile(path, 'latin1');
  } catch {
    // Nothing came or went yet.
    return [];
  }
  return text.split(/^-{20,} .*$/m).flatMap((part) => {
    const found = /^\s*\w+ message (sent|received).*?\n\s*\n([\s\S]*)$/m.exec(
      part.replaceAll(/\r?\n/g, '\n'),
    );
    if (!found?.[2]) return [];
    return [{ ...parseSip(found[2].trimEnd().replaceAll('\n', '\r\n') + '\r\n'), sent: found[1] === 'sent' }];
  });
}
