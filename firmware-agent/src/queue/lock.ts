/**
 * One process a queue: two would hand out the same sequence twice. The lock is an abstract unix socket named after the
 * directory: the kernel frees it when the process dies, however it dies, so no stale lock file can keep an agent down.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { createServer } from 'node:net';
import { AgentError } from '../domain/agent-error.ts';

/** Takes the lock of a directory; throws `queue_in_use` when another process has it. */
export async function lockDirectory(dir: string): Promise<{ release: () => Promise<void> }> {
  const name = createHash('sha256')
    .update(await realpath(dir))
    .digest('hex')
    .slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(`\0siphera-agent-${name}`);
    await once(server, 'listening');
  } catch (cause) {
    throw new AgentError('queue_in_use', `Another agent uses ${dir}; stop it first`, cause);
  }
  server.unref();
  return {
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
