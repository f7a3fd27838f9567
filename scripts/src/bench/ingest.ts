/**
 * Durable ingest: 40 agents, their events through Mosquitto and all rules into the database, until core's own
 * acknowledgement came back. Beside it, in the same run, what Mosquitto and SQLite can do alone on this machine.
 */
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import { coreUser, startMosquitto, tempDir, type Mosquitto } from '@siphera/testkit';
import type { BenchOptions, BenchRow } from './bench-row.ts';
import { runLoad, startBuilding, type Building } from './building.ts';
import type { CountPlan } from './mqtt-count.ts';
import type { LoadPlan, LoadReport } from './mqtt-load.ts';
import { rssOf } from './process-figures.ts';
import { rawAppend } from './raw-append.ts';

const devices = 40;
const steadyRate = 5_000;
/** Every hundredth event of the overload is an alarm. */
const panicEvery = 100;
/** What may come on top of the memory of the same run at its normal pace: garbage not yet collected, no queue. */
const overloadGrowthMiB = 64;

export async function benchIngest(options: BenchOptions): Promise<BenchRow[]> {
  const raw = await rawLimits(options);
  const rows: BenchRow[] = [];
  for (const rules of [100, 1_000]) {
    options.progress(`a building of ${devices} agents and ${rules} rules`);
    await using building = await startBuilding({ devices, rules });
    rows.push(...(await ingestRows(options, building, rules, raw)));
    if (rules === 1_000) rows.push(...(await overloadRows(options, building, rows)));
  }
  return rows;
}

type Raw = { appended: number; broker: number; delivered: number };

async function rawLimits({ seconds, progress }: BenchOptions): Promise<Raw> {
  progress('SQLite alone');
  const appended = await rawAppend(seconds);
  progress('Mosquitto alone');
  await using dir = await tempDir('bench');
  await using mosquitto = await startMosquitto({ dir: dir.path });
  const agents = await Promise.all(
    Array.from({ length: devices }, async (_, n) => ({
      id: `agent-${n}`,
      ...(await mosquitto.issueClientCert(`agent-${n}`)),
    })),
  );
  const plan = loadPlan({ mosquitto, orgId: 'bench', devices: agents, seconds, acknowledgedBy: 'broker' });
  const broker = await runLoad(plan);
  progress('Mosquitto to a plain subscriber');
  const count = await startCounting(mosquitto);
  const delivered = await runLoad(plan);
  return { appended, broker: broker.perSecond, delivered: (await count.end()) / delivered.seconds };
}

async function startCounting(mosquitto: Mosquitto): Promise<{ end: () => Promise<number> }> {
  const child = fork(new URL('./mqtt-count.ts', import.meta.url), { execArgv: [] });
  const next = (): Promise<unknown> => new Promise((resolve) => child.once('message', resolve));
  const { certFile, keyFile } = await mosquitto.issueClientCert(coreUser);
  const ready = next();
  const { url, ca } = mosquitto;
  child.send({
    url,
    caFile: ca.caFile,
    certFile,
    keyFile,
    topic: 'siphera/v1/+/+/event',
  } satisfies CountPlan);
  await ready;
  return {
    end: async () => {
      const counted = next();
      child.send('report');
      return Number(await counted);
    },
  };
}

async function ingestRows(
  { seconds, progress }: BenchOptions,
  building: Building,
  rules: number,
  raw: Raw,
): Promise<BenchRow[]> {
  const corePid = building.box.core.daemon.pid;
  const idle = rssOf(corePid);
  progress(`${steadyRate} events/s for ${seconds} s`);
  const steady = await load(building, { seconds, rate: steadyRate });
  progress(`as fast as it goes for ${seconds} s`);
  const most = await load(building, { seconds });
  const name = `durable ingest, ${rules.toLocaleString('en')} rules`;
  return [
    {
      what: `${name}: most`,
      ours: most.perSecond,
      unit: 'events/s',
      better: 'more',
      peer: raw.delivered,
      peerName: 'Mosquitto alone, to a plain subscriber',
      target: { ours: 10_000 },
    },
    {
      what: `${name}: most`,
      ours: most.perSecond,
      unit: 'events/s',
      better: 'more',
      peer: raw.broker,
      peerName: 'Mosquitto alone, its own PUBACK',
    },
    {
      what: `${name}: most`,
      ours: most.perSecond,
      unit: 'events/s',
      better: 'more',
      peer: raw.appended,
      peerName: 'better-sqlite3 alone, batched by 100',
      target: { ratio: 0.5 },
    },
    milliseconds(`${name}: ack p50 at the most`, most.ackP50Ms),
    milliseconds(`${name}: ack p99 at the most`, most.ackP99Ms),
    milliseconds(`${name}: ack p50 at ${steadyRate}/s`, steady.ackP50Ms),
    milliseconds(`${name}: ack p99 at ${steadyRate}/s`, steady.ackP99Ms),
    mebibytes(`${name}: memory of core before`, idle),
    mebibytes(`${name}: memory of core after`, rssOf(corePid)),
  ];
}

async function overloadRows(
  { seconds, progress }: BenchOptions,
  building: Building,
  before: readonly BenchRow[],
): Promise<BenchRow[]> {
  const most = before.findLast((row) => row.what.endsWith(': most'))?.ours ?? steadyRate;
  const corePid = building.box.core.daemon.pid;
  const normal = rssOf(corePid);
  let highest = normal;
  const watch = setInterval(() => {
    highest = Math.max(highest, rssOf(corePid));
  }, 200);
  progress(`three times that: ${Math.round(most * 3)} events/s for ${seconds} s`);
  const report = await load(building, { seconds, rate: most * 3, panicEvery }).finally(() =>
    clearInterval(watch),
  );
  const lost = report.panics - countPanics(building);
  return [
    { what: '3× overload: alarms lost', ours: lost, unit: '', better: 'less', target: { ours: 0 } },
    {
      what: '3× overload: memory of core grows by',
      ours: highest - normal,
      unit: 'MiB',
      better: 'less',
      target: { ours: overloadGrowthMiB },
    },
    { what: '3× overload: events kept back by agents', ours: report.backlogMax, unit: '', better: 'less' },
    {
      what: '3× overload: events never acknowledged',
      ours: report.unacknowledged,
      unit: '',
      better: 'less',
      target: { ours: 0 },
    },
  ];
}

function countPanics({ box }: Building): number {
  const db = openDatabase(join(box.dir, 'data', 'core', 'core.sqlite'), { readonly: true });
  const row = db
    .prepare<[], { n: number }>(`SELECT count(*) AS n FROM events WHERE type = 'panic.pressed'`)
    .get();
  db.close();
  return row?.n ?? 0;
}

function load(
  building: Building,
  options: Pick<LoadPlan, 'seconds' | 'rate' | 'panicEvery'>,
): Promise<LoadReport> {
  const { box, orgId, devices: agents } = building;
  return runLoad(
    loadPlan({ ...options, mosquitto: box.mosquitto, orgId, devices: agents, acknowledgedBy: 'box' }),
  );
}

const loadPlan = ({
  mosquitto,
  ...rest
}: Omit<LoadPlan, 'url' | 'caFile' | 'type' | 'stream'> & { mosquitto: Mosquitto }): LoadPlan => ({
  ...rest,
  stream: randomUUID(),
  url: mosquitto.url,
  caFile: mosquitto.ca.caFile,
  type: 'telemetry.reading',
});

const milliseconds = (what: string, ours: number): BenchRow => ({ what, ours, unit: 'ms', better: 'less' });
const mebibytes = (what: string, ours: number): BenchRow => ({ what, ours, unit: 'MiB', better: 'less' });
