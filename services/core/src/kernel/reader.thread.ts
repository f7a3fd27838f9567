/** A read-only worker: lists, search, exports and chain walks, so that no long scan holds up the writer or HTTP. */
import { join } from 'node:path';
import { workerData } from 'node:worker_threads';
import { AppError, createLogger, openDatabase, settleHeap, systemClock } from '@siphera/runtime/base';
import { readCases } from '../read-cases.ts';
import type { ReaderThreadData } from './messages.ts';
import { serveRpc, type CaseCall } from './rpc.ts';
import type { ReadCase } from './transaction.ts';

const { config, port } = workerData as ReaderThreadData;
const log = createLogger({ service: 'core-reader', level: config.LOG_LEVEL });
const db = openDatabase(join(config.DATA_DIR, 'core.sqlite'), { readonly: true });
const cases: Readonly<Record<string, ReadCase<never, unknown>>> = readCases;

// One transaction around each call: a page and its feed position are of one moment.
const inOneReading = db.transaction((run: () => unknown) => run());

serveRpc(port, log, (call: CaseCall) => {
  const found = Object.hasOwn(cases, call.name) ? cases[call.name] : undefined;
  if (!found) throw new AppError('internal', `There is no reading ${call.name}.`);
  const context = { db, nowMs: systemClock.now(), actor: call.actor, traceId: call.traceId };
  return inOneReading(() => found(context, call.input as never));
});
settleHeap();
