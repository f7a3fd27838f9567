/** A driver in another process: over a unix socket in the data directory, or over stdin and stdout. */
import { once } from 'node:events';
import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { AgentCommand } from '@siphera/contract';
import { AgentError } from '../domain/agent-error.ts';
import type { CommandOutcome, Driver, DriverPort } from '../domain/driver.ts';
import { type NdjsonSession, startSession } from './ndjson.ts';

/** Hardware processes at once: one for each bus of a controller, and one to look. */
const sessionsMax = 8;

/** Serves hardware processes on a unix socket that only the agent's own user may open. */
export function socketDriver(path: string): Driver {
  const hub = createHub();
  const sockets = new Set<Socket>();
  let port: DriverPort | undefined;
  const server = createServer((socket) => {
    if (!port || sockets.size >= sessionsMax) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    // The end of a session says the same; without a listener the error would end the agent.
    socket.on('error', () => socket.destroy());
    const session = hub.join(socket, socket, port);
    void session.ended.then(() => {
      sockets.delete(socket);
      socket.destroy();
    });
  });
  return {
    start: async (given) => {
      port = given;
      // Left by a killed agent; the queue's lock keeps a second live one away.
      await rm(path, { force: true });
      server.listen(path);
      await once(server, 'listening');
      await chmod(path, 0o600);
    },
    execute: hub.execute,
    configure: (twin) => hub.tell({ twin }),
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Speaks with the process that started the agent, over its stdin and stdout. */
export function stdioDriver(input: Readable, output: Writable): Driver {
  const hub = createHub();
  return {
    start: async (port) => {
      hub.join(input, output, port);
    },
    execute: hub.execute,
    configure: (twin) => hub.tell({ twin }),
    stop: async () => {
      input.destroy();
    },
  };
}

function createHub() {
  const sessions = new Set<NdjsonSession>();
  const waiting = new Map<string, (outcome: CommandOutcome) => void>();
  const tell = (message: Record<string, unknown>): void => {
    for (const session of sessions) session.send(message);
  };
  return {
    tell,
    join: (input: Readable, output: Writable, port: DriverPort): NdjsonSession => {
      const onResult = (id: string, outcome: CommandOutcome): void => waiting.get(id)?.(outcome);
      const session = startSession({ input, output, port, onResult });
      sessions.add(session);
      void session.ended.then(() => sessions.delete(session));
      return session;
    },
    execute: (command: AgentCommand, signal: AbortSignal): Promise<CommandOutcome> => {
      if (sessions.size === 0) {
        return Promise.reject(
          new AgentError('unknown_device', 'No hardware process is connected to the agent'),
        );
      }
      return new Promise((resolve) => {
        const settle = (outcome: CommandOutcome): void => {
          waiting.delete(command.id);
          resolve(outcome);
        };
        waiting.set(command.id, settle);
        signal.addEventListener('abort', () =>
          settle({ ok: false, error: 'The hardware did not answer in time' }),
        );
        tell({ command });
      });
    },
  };
}
