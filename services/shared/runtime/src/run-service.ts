/** Starts a service, and on SIGTERM or SIGINT stops its parts in reverse order within a bound. */
import type { Logger } from './log.ts';

export type Part = { name: string; stop(): void | Promise<void> };

/** Supervisors kill after ten seconds; we would rather end by ourselves. */
const stopMsMax = 8_000;

/** `start` pushes each part as it comes up, so that a failed start stops what was already running. */
export async function runService(log: Logger, start: (parts: Part[]) => Promise<void>): Promise<void> {
  const parts: Part[] = [];
  let stopping = false;
  const stop = async (code: number, why: string): Promise<void> => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { why });
    setTimeout(() => process.exit(code === 0 ? 1 : code), stopMsMax).unref();
    for (const part of parts.reverse()) {
      try {
        await part.stop();
      } catch (error) {
        log.error('stop_failed', { part: part.name, error });
      }
    }
    process.exit(code);
  };
  process.on('SIGTERM', () => void stop(0, 'SIGTERM'));
  process.on('SIGINT', () => void stop(0, 'SIGINT'));
  process.on('uncaughtException', (error) => {
    log.error('uncaught', { error });
    void stop(1, 'uncaught exception');
  });
  try {
    await start(parts);
    log.info('started');
  } catch (error) {
    log.error('start_failed', { error });
    await stop(1, 'start failed');
  }
}
