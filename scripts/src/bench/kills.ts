/**
 * kill -9 of core under load, many times: what an agent was told is committed is there, once, and no incident is opened
 * twice. The tests do the same twenty times, with more kinds of senders.
 */
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import { call, setupAdmin, startBox, TestAgent, waitFor, type Box } from '@siphera/testkit';
import type { BenchOptions, BenchRow } from './bench-row.ts';

const agentsCount = 4;
const eventsPerKill = 40;
/** Every so many events is a panic: what must ring exactly one incident per device. */
const panicEvery = 25;
/** Milliseconds of load before a kill: anywhere between right after the start and well under way. */
const killAfterMsMax = 160;
/** For what was not stored between the kills; a machine that is busy with other things stores little in so short a time. */
const catchUpMsMax = 900_000;
const progressEvery = 50;

export async function benchKills({ kills, progress }: BenchOptions): Promise<BenchRow[]> {
  await using box = await startBox({ services: [], env: { core: { LOG_LEVEL: 'warn' } } });
  const agents = await enrolAgents(box);
  try {
    for (let n = 0; n < kills; n++) {
      for (const agent of agents) addLoad(agent);
      await new Promise((resolve) => setTimeout(resolve, (n * 37) % killAfterMsMax));
      await box.core.daemon.kill9();
      await box.core.daemon.start();
      if ((n + 1) % progressEvery === 0) progress(`${n + 1} of ${kills} kills`);
    }
    await waitFor('all to be committed', () => agents.every((agent) => agent.done()), catchUpMsMax);
  } finally {
    for (const agent of agents) await agent.close();
  }
  const sent = agents.reduce((sum, agent) => sum + agent.total, 0);
  return rows(box, kills, sent);
}

async function enrolAgents(box: Box): Promise<TestAgent[]> {
  const { token, me } = await setupAdmin(box);
  const areas = await call(box, 'listAreas', { token });
  const agents: TestAgent[] = [];
  for (let n = 0; n < agentsCount; n++) {
    const device = await call(box, 'createDevice', {
      token,
      body: { area_id: areas.items[0]?.id ?? '', kind: 'controller', name: `Controller ${n}` },
    });
    agents.push(await TestAgent.connect(box.mosquitto, me.org.id, device.id));
  }
  return agents;
}

function addLoad(agent: TestAgent): void {
  for (let n = 0; n < eventsPerKill; n++) {
    const type = agent.total % panicEvery === 0 ? 'panic.pressed' : 'motion.started';
    agent.add({ type, subject: agent.id });
  }
}

function rows(box: Box, kills: number, sent: number): BenchRow[] {
  const db = openDatabase(join(box.dir, 'data', 'core', 'core.sqlite'), { readonly: true });
  const count = (sql: string): number => db.prepare<[], { n: number }>(sql).get()?.n ?? Number.NaN;
  const mine = `FROM events WHERE source LIKE 'test/%'`;
  const stored = count(`SELECT count(*) AS n ${mine}`);
  const distinct = count(`SELECT count(*) AS n FROM (SELECT DISTINCT source, id ${mine})`);
  const incidents = count('SELECT count(*) AS n FROM incidents');
  db.close();
  const what = `${kills} kills of core under load`;
  const none = { unit: '', better: 'less', target: { ours: 0 } } as const;
  return [
    { what: `${what}: events sent`, ours: sent, unit: '', better: 'more' },
    { ...none, what: `${what}: committed and lost`, ours: sent - distinct },
    { ...none, what: `${what}: stored twice`, ours: stored - distinct },
    { ...none, what: `${what}: incidents too many or missing`, ours: Math.abs(incidents - agentsCount) },
  ];
}
