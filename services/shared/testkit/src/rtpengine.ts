/** One of the two media relays with the product's own start script, on free ports. */
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { NetworkNamespace } from './network-namespace.ts';
import { freePort } from './ports.ts';
import { repositoryRoot } from './repository.ts';
import { runCommand } from './run-command.ts';

export type Rtpengine = { daemon: Daemon; control: string };
export type RtpengineOptions = {
  name: 'a' | 'b';
  /** Where phones send sound to. */
  mediaAddress: string;
  /** host:port that digits (RFC 4733) are reported to by UDP. */
  dtmfListen: string;
  /** First of a hundred ports for sound. */
  firstPort: number;
  network?: NetworkNamespace;
};

const ports = 400;

export async function startRtpengine(options: RtpengineOptions): Promise<Rtpengine> {
  const { name, mediaAddress, dtmfListen, firstPort, network } = options;
  const control = `127.0.0.1:${await freePort()}`;
  const program = (file: string) => join(repositoryRoot, 'compose', 'rtpengine', file);
  const env = {
    RTPENGINE_NAME: name,
    RTPENGINE_CONTROL: control,
    MEDIA_ADDRESS: mediaAddress,
    DTMF_LISTEN: dtmfListen,
    RTPENGINE_PORT_MIN: String(firstPort),
    RTPENGINE_PORT_MAX: String(firstPort + ports - 1),
  };
  const within = (command: string) => network?.command(command) ?? { command, args: [] };
  const health = within(program('healthcheck.sh'));
  const daemon = await startDaemon({
    name: `rtpengine ${name}`,
    ...within(program('run.sh')),
    env,
    ready: () => succeeds(health.command, health.args, env),
  });
  return { daemon, control };
}

/** Whether a program ends well. */
export async function succeeds(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  try {
    await runCommand(command, args, { env });
    return true;
  } catch {
    // Not yet; what keeps a daemon from starting is in its output.
    return false;
  }
}
