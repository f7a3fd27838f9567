/**
 * Core's composition root and writer thread: opens the database, migrates, starts the reader and HTTP threads, the
 * broker connection and the timers. Only this thread writes.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel, Worker } from 'node:worker_threads';
import {
  createLogger,
  loadConfig,
  migrate,
  openDatabase,
  runService,
  settleHeap,
  systemClock,
  systemRandom,
  type Part,
} from '@siphera/runtime/base';
import { configSchema } from './config.ts';
import { createWriterSide } from './writer-side.ts';
import type { HttpThreadData, ReaderThreadData, ThreadNotice, WriterNotice } from './kernel/messages.ts';

const config = loadConfig(configSchema);
const log = createLogger({ service: 'core', level: config.LOG_LEVEL });

await runService(log, async (parts) => {
  const startedMs = systemClock.now();
  mkdirSync(config.DATA_DIR, { recursive: true, mode: 0o700 });
  const db = openDatabase(join(config.DATA_DIR, 'core.sqlite'));
  const applied = migrate(db, join(import.meta.dirname, '../migrations'), startedMs);
  if (applied.length > 0) log.info('migrated', { applied });
  parts.push({
    name: 'database',
    stop: () => {
      db.close();
    },
  });

  const side = await createWriterSide({ config, db, log, clock: systemClock, random: systemRandom });
  parts.push({ name: 'writer', stop: () => side.stop() });

  const readers = Array.from({ length: config.READERS }, () => startReader(parts));
  const writerChannel = new MessageChannel();
  side.serve(writerChannel.port1);
  const data: HttpThreadData = { config, startedMs, writerPort: writerChannel.port2, readerPorts: readers };
  const http = new Worker(new URL('./kernel/http.thread.ts', import.meta.url), {
    workerData: data,
    transferList: [writerChannel.port2, ...readers],
  });
  // While the other threads load, and before the broker hands over what has waited.
  settleHeap();
  await ready(http, 'http');
  side.onNotice((notice) => http.postMessage(notice));
  parts.push({ name: 'http', stop: () => stopHttp(http) });
  await side.start();
});

function startReader(parts: Part[]): MessageChannel['port1'] {
  const channel = new MessageChannel();
  const data: ReaderThreadData = { config, port: channel.port2 };
  const worker = new Worker(new URL('./kernel/reader.thread.ts', import.meta.url), {
    workerData: data,
    transferList: [channel.port2],
  });
  failTogether(worker, 'reader');
  parts.push({
    name: 'reader',
    stop: async () => {
      await worker.terminate();
    },
  });
  return channel.port1;
}

/** A thread that dies takes the process with it; the supervisor starts all of it again, in a known state. */
function failTogether(worker: Worker, name: string): void {
  worker.on('error', (error) => {
    log.error('thread_failed', { thread: name, error });
    process.exit(1);
  });
}

function ready(worker: Worker, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(error instanceof Error ? error : new Error(String(error)));
    worker.once('error', fail);
    worker.once('message', (notice: ThreadNotice) => {
      worker.off('error', fail);
      failTogether(worker, name);
      log.info('listening', { thread: name, port: notice.kind === 'ready' ? notice.port : undefined });
      resolve();
    });
  });
}

function stopHttp(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.on('message', (notice: ThreadNotice) => {
      if (notice.kind === 'stopped') void worker.terminate().then(() => resolve());
    });
    worker.postMessage({ kind: 'stop' } satisfies WriterNotice);
  });
}
