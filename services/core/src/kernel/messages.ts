/** What core's threads tell each other besides use-case calls. */
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config.ts';

/** Start data of the HTTP thread. */
export type HttpThreadData = {
  config: Config;
  startedMs: number;
  writerPort: MessagePort;
  readerPorts: readonly MessagePort[];
};

/** Start data of a reader thread. */
export type ReaderThreadData = { config: Config; port: MessagePort };

/** Ingest figures, for the health page; kept by the writer, sent each second. */
export type IngestFigures = {
  per_second: number;
  committed: number;
  duplicates: number;
  dead_letters: number;
  queue: number;
};

/** Writer → HTTP thread, on the worker's own channel. */
export type WriterNotice =
  | { kind: 'committed' }
  | {
      kind: 'figures';
      ingest: IngestFigures;
      failure: string | undefined;
      broker: 'connected' | 'disconnected';
    }
  | { kind: 'stop' };

/** Thread → writer: it is up, or it has stopped. */
export type ThreadNotice = { kind: 'ready'; port: number } | { kind: 'stopped' };
