/** The HTTP worker: REST, SSE and the internal API. It holds no state of record; every write goes to the writer. */
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import {
  createLogger,
  createMetrics,
  internalTls,
  metricsHandler,
  openDatabase,
  settleHeap,
  startListener,
  systemClock,
  systemRandom,
  type Listener,
} from '@siphera/runtime';
import { createCoreHttp, createInternalHttp } from '../http-app.ts';
import type { ReadCases } from '../read-cases.ts';
import type { WriteCases } from '../write-cases.ts';
import { Box } from './box.ts';
import { FeedHub } from './feed-hub.ts';
import { FeedReader } from './feed-reader.ts';
import type { HttpThreadData, ThreadNotice, WriterNotice } from './messages.ts';
import { RpcClient } from './rpc.ts';
import { Status } from './status.ts';

const data = workerData as HttpThreadData;
const { config } = data;
const log = createLogger({ service: 'core', level: config.LOG_LEVEL });
const metrics = createMetrics('core');
const db = openDatabase(join(config.DATA_DIR, 'core.sqlite'), { readonly: true });
const hub = new FeedHub(new FeedReader(db), systemClock);
const box = new Box<WriteCases, ReadCases>(
  new RpcClient(data.writerPort),
  data.readerPorts.map((port) => new RpcClient(port)),
);
const status = new Status(metrics, data.startedMs);

const app = { config, box, hub, db, log, metrics, status, clock: systemClock, random: systemRandom };
const { rest, authenticator, sender } = await createCoreHttp(app);
const tls = internalTls(config);
if (!tls && !config.CORE_INTERNAL_LISTEN.startsWith('unix:')) {
  throw new Error(
    'CORE_INTERNAL_LISTEN over TCP needs INTERNAL_CERT_FILE, INTERNAL_KEY_FILE and INTERNAL_CA_FILE',
  );
}
const internal = createInternalHttp(app, authenticator);
settleHeap();
const listeners: Listener[] = [
  await startListener(config.CORE_INTERNAL_LISTEN, internal, tls),
  await startListener(
    config.CORE_METRICS_LISTEN,
    metricsHandler(metrics, () => status.healthy()),
  ),
];
if (config.CORE_INTERNAL_SOCKET !== undefined) {
  listeners.push(await startListener(config.CORE_INTERNAL_SOCKET, internal));
}
const front = await startListener(config.CORE_HTTP_LISTEN, rest);
listeners.push(front);
sender.start();
if (!parentPort) throw new Error('http.thread.ts runs as a worker only');
const writer = parentPort;
writer.on('message', (notice: WriterNotice) => {
  switch (notice.kind) {
    case 'committed':
      hub.wake();
      return;
    case 'figures':
      status.update(notice);
      return;
    case 'stop':
      void stop();
  }
});
writer.postMessage({ kind: 'ready', port: front.port } satisfies ThreadNotice);

async function stop(): Promise<void> {
  hub.close();
  sender.stop();
  authenticator.stop();
  await Promise.all(listeners.map((listener) => listener.close()));
  db.close();
  writer.postMessage({ kind: 'stopped' } satisfies ThreadNotice);
}
