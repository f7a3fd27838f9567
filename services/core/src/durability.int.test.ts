/** What was told to be committed is there, once, whatever is killed. Real core, real Mosquitto, kill -9 under load. */
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import {
  call,
  openConsole,
  setupAdmin,
  startBox,
  waitFor,
  type Box,
  type SetUp,
  TestAgent,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const kills = 20;
/** Each is a start of core, which takes some seconds on a busy machine. */
const killsMsMax = 900_000;
const agentsCount = 4;
/** Every so many events is a panic: what must ring exactly one incident per device. */
const panicEvery = 25;

let box: Box;
let admin: SetUp;
const agents: TestAgent[] = [];
/** What REST clients were told is committed. */
const toldByRest: string[] = [];

beforeAll(async () => {
  box = await startBox({ services: ['signaling'] });
  admin = await setupAdmin(box);
  const areas = await call(box, 'listAreas', { token: admin.token, query: {} });
  for (let n = 0; n < agentsCount; n++) {
    const device = await call(box, 'createDevice', {
      token: admin.token,
      body: { area_id: areas.items[0]?.id ?? '', kind: 'controller', name: `Controller ${n}` },
    });
    agents.push(await TestAgent.connect(box.mosquitto, admin.me.org.id, device.id));
  }
});

afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  await box.stop();
});

function addLoad(): void {
  for (const agent of agents) {
    for (let n = 0; n < 40; n++)
      agent.add(
        agent.total % panicEvery === 0
          ? { type: 'panic.pressed', subject: agent.id }
          : { type: 'motion.started', subject: agent.id, data: { value: agent.total } },
      );
  }
}

async function sendByRest(token: string, id: string): Promise<void> {
  const { results } = await call(box, 'appendEvents', {
    token,
    body: [{ specversion: '1.0', id, source: 'test/rest', type: 'door.opened' }],
  });
  if (results[0]?.status !== 'dead_lettered') toldByRest.push(id);
}

function counted() {
  const db = openDatabase(join(box.dir, 'data', 'core', 'core.sqlite'), { readonly: true });
  const one = (sql: string): number => db.prepare<[], { n: number }>(sql).get()?.n ?? -1;
  const figures = {
    events: one(`SELECT count(*) AS n FROM events WHERE source LIKE 'test/%' AND source <> 'test/rest'`),
    identities: one(
      `SELECT count(DISTINCT source || id) AS n FROM events WHERE source LIKE 'test/%' AND source <> 'test/rest'`,
    ),
    panics: one(`SELECT count(*) AS n FROM events WHERE type = 'panic.pressed'`),
    incidents: one('SELECT count(*) AS n FROM incidents'),
    panicsInIncidents: one('SELECT sum(event_count) AS n FROM incidents'),
    seqTwice: one('SELECT count(*) AS n FROM events e JOIN changes c ON c.seq = e.seq'),
    rest: db
      .prepare<[], { id: string }>(`SELECT id FROM events WHERE source = 'test/rest'`)
      .all()
      .map((row) => row.id),
  };
  db.close();
  return figures;
}

async function expectNothingLostOrDoubled(): Promise<void> {
  await waitFor('everything to be committed', () => agents.every((agent) => agent.done()));
  const figures = counted();
  const sent = agents.reduce((sum, agent) => sum + agent.total, 0);
  expect(figures.events).toBe(sent);
  expect(figures.identities).toBe(sent);
  expect(figures.seqTwice).toBe(0);
  expect(figures.incidents).toBe(agentsCount);
  expect(figures.panicsInIncidents).toBe(figures.panics);
  expect(new Set(figures.rest).size).toBe(figures.rest.length);
  expect(toldByRest.filter((id) => !figures.rest.includes(id))).toEqual([]);
}

describe('kill -9 under load', () => {
  it(`loses and doubles nothing over ${kills} kills of core`, { timeout: killsMsMax }, async () => {
    for (let n = 0; n < kills; n++) {
      addLoad();
      // The answer may be cut off by the kill: only what was answered counts as told.
      const rest = sendByRest(admin.token, `core-${n}`).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, (n * 37) % 160));
      await box.core.daemon.kill9();
      await rest;
      await box.core.daemon.start();
    }
    await expectNothingLostOrDoubled();
  });

  it(`loses and doubles nothing over ${kills} kills of the broker`, { timeout: killsMsMax }, async () => {
    for (let n = 0; n < kills; n++) {
      addLoad();
      await new Promise((resolve) => setTimeout(resolve, (n * 41) % 160));
      await box.mosquitto.kill9();
      await box.mosquitto.daemon.start();
    }
    await expectNothingLostOrDoubled();
  });

  it('lets a console catch up without a gap after signaling was killed', async () => {
    const { items } = await call(box, 'listIncidents', { token: admin.token, query: {} });
    const before = await openConsole(box, admin.token);
    const first = agents[0] as TestAgent;
    first.add({ type: 'door.opened', subject: first.id });
    await before.waitFor('the event before the kill', (entry) => entry.kind === 'event');
    const upto = before.frames.at(-1)?.upto ?? 0;
    await box.signaling?.daemon.kill9();
    first.add({ type: 'door.closed', subject: first.id });
    await waitFor('the event to be committed while signaling is dead', () => first.done());
    await box.signaling?.daemon.start();
    const fresh = await openConsole(box, admin.token, { after: upto });
    const missed = await fresh.waitFor(
      'what happened in between',
      (entry) => entry.kind === 'event' && entry.seq > upto,
    );
    expect(missed.data).toMatchObject({ type: 'door.closed' });
    expect(items.length).toBeGreaterThan(0);
    await before.close();
    await fresh.close();
  });
});
