/**
 * Rules through the whole of core: what the engine promises as a pure library holds with rows, timers, restarts and a
 * broker that is really there (whether the box could hear is asked of it).
 */
import { internalPaths, type RuleInput } from '@siphera/contract';
import {
  call,
  startMosquitto,
  tempDir,
  waitFor,
  type CallOutput,
  type FakeClock,
  type Mosquitto,
  type TempDir,
} from '@siphera/testkit';
import type { z } from 'zod';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ada, setUp, signIn } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';

type Rule = z.input<typeof RuleInput>;
const minute = 60_000;

let brokerDir: TempDir;
let mosquitto: Mosquitto;
let dir: TempDir;
let core: TestCore;
let clock: FakeClock;
let token = '';
let areaId = '';
let doorId = '';

beforeAll(async () => {
  brokerDir = await tempDir('broker');
  mosquitto = await startMosquitto({ dir: brokerDir.path });
});
afterAll(async () => {
  await mosquitto.stop();
  await brokerDir.remove();
});
beforeEach(async () => {
  dir = await tempDir('rules');
  core = await startTestCore({ dir: dir.path, run: true, mosquitto });
  ({ clock } = core);
  ({ token } = await setUp(core));
  areaId = (await call(core, 'listAreas', { token, query: {} })).items[0]?.id ?? '';
  const door = { area_id: areaId, kind: 'door' as const, name: 'Dock door' };
  doorId = (await call(core, 'createDevice', { token, body: door })).id;
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
  await dir.remove();
});

/** Core stops, time goes by, core starts. */
async function restart(whileDownMs = 0): Promise<void> {
  await core[Symbol.asyncDispose]();
  clock.advance(whileDownMs);
  core = await startTestCore({ dir: dir.path, clock, run: true, mosquitto });
}
async function renew(): Promise<void> {
  ({ token } = await signIn(core, ada.email, ada.password));
}

const makeRule = (rule: Omit<Rule, 'actions'>): Promise<CallOutput<'createRule'>> =>
  call(core, 'createRule', { token, body: withAction(rule) });
const withAction = (rule: Omit<Rule, 'actions'>): Rule => ({
  ...rule,
  actions: [{ kind: 'incident', title: rule.name, severity: 'medium', group_by: 'none' }],
});

/** As the box's own service would send it; its time is the box's. */
async function hear(type: string, data: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  const event = {
    specversion: '1.0',
    id: crypto.randomUUID(),
    source: 'test/rules',
    type,
    subject: doorId,
    data,
    ...more,
  };
  const answer = await core.internal(internalPaths.events, { channel: 'system', events: [event] });
  expect(JSON.parse(answer.body.toString())).toMatchObject({ results: [{ status: 'accepted' }] });
}
const incidentsOf = (title: string): number =>
  core.db.prepare<[string], { n: number }>('SELECT count(*) AS n FROM incidents WHERE title = ?').get(title)
    ?.n ?? -1;
const timersOf = (ruleId: string): number[] =>
  core.db
    .prepare<[string], { due_ms: number }>(
      `SELECT due_ms FROM timers WHERE owner = 'rules' AND key LIKE ? || '%'`,
    )
    .all(ruleId)
    .map((row) => row.due_ms - clock.now());
/** The box notes once a second that it can hear. */
const heardNow = (): Promise<unknown> =>
  waitFor('the box to note that it hears', () => {
    const row = core.db
      .prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'heard_ms'`)
      .get();
    return row !== undefined && clock.now() - Number(row.value) < 10_000;
  });

describe('counting', () => {
  const thrice: Omit<Rule, 'actions'> = {
    name: 'Three forced in ten minutes',
    trigger: { kind: 'event', types: ['door.forced'] },
    count: { times: 3, within_ms: 10 * minute, per: 'device' },
  };

  it('goes on over a restart', async () => {
    await makeRule(thrice);
    await hear('door.forced');
    clock.advance(minute);
    await hear('door.forced');
    await restart(minute);
    expect(incidentsOf(thrice.name)).toBe(0);
    await hear('door.forced');
    expect(incidentsOf(thrice.name)).toBe(1);
  });

  it('forgets what is older than its time, and nothing else', async () => {
    await makeRule(thrice);
    await hear('door.forced');
    clock.advance(9 * minute);
    await hear('door.forced');
    clock.advance(2 * minute);
    await hear('door.forced');
    expect(incidentsOf(thrice.name)).toBe(0);
    clock.advance(7 * minute);
    await hear('door.forced');
    expect(incidentsOf(thrice.name)).toBe(1);
  });
});

describe('absence', () => {
  const second = 1_000;
  const lost: Omit<Rule, 'actions'> = {
    name: 'Door silent',
    trigger: { kind: 'absence', types: ['device.heartbeat'], for_ms: 40 * second },
  };
  /** Time goes by while the box listens: a clock that jumps further than this would count as a box that slept. */
  async function pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 15 * second) {
      clock.advance(Math.min(left, 15 * second));
      await heardNow();
    }
  }

  it('fires once for one silence, also when the time runs out after a restart', async () => {
    await makeRule(lost);
    await heardNow();
    await hear('device.heartbeat');
    await pass(30 * second);
    await restart();
    await heardNow();
    expect(incidentsOf(lost.name)).toBe(0);
    await pass(10 * second);
    await waitFor('the alarm', () => incidentsOf(lost.name) === 1);
    await pass(45 * second);
    expect(incidentsOf(lost.name)).toBe(1);
  });

  it('is no alarm for the time in which the box itself was down, and one when the silence goes on after it', async () => {
    const rule = await makeRule(lost);
    await heardNow();
    await hear('device.heartbeat');
    await restart(60 * minute);
    await heardNow();
    await waitFor('the timer to be put off', () => timersOf(rule.id).some((ms) => ms > 0));
    expect(incidentsOf(lost.name)).toBe(0);
    expect(Math.max(...timersOf(rule.id))).toBeGreaterThanOrEqual(40 * second);
    // The whole time again, and what agents are given to come back after the box.
    await pass(60 * second);
    await waitFor('the alarm', () => incidentsOf(lost.name) === 1);
  });

  it('keeps its running timer over an edit that does not change what is asked', async () => {
    const rule = await makeRule(lost);
    await hear('device.heartbeat');
    clock.advance(10 * second);
    const renamed = withAction({ ...lost, name: 'Renamed' });
    await call(core, 'putRule', { token, params: { id: rule.id }, body: renamed });
    expect(timersOf(rule.id)).toEqual([30 * second]);
  });

  it('ends when the rule is switched off', async () => {
    const rule = await makeRule(lost);
    await hear('device.heartbeat');
    expect(timersOf(rule.id)).toHaveLength(1);
    const off = withAction({ ...lost, enabled: false });
    await call(core, 'putRule', { token, params: { id: rule.id }, body: off });
    expect(timersOf(rule.id)).toEqual([]);
  });
});

describe('conditions', () => {
  it('knows the hours of the site, not of the server', async () => {
    // Vienna is an hour ahead of UTC in winter: 08:00 UTC is nine there.
    const name = 'Forced in office hours';
    const hours = { days: [1], from: '09:00', to: '10:00' };
    await makeRule({
      name,
      trigger: { kind: 'event', types: ['door.forced'] },
      conditions: [{ kind: 'schedule', when: 'inside', windows: [hours] }],
    });
    await hear('door.forced');
    expect(incidentsOf(name)).toBe(1);
    clock.advance(60 * minute);
    await hear('door.forced');
    expect(incidentsOf(name)).toBe(1);
  });

  it('knows from the panel whether the area is armed, also after a restart', async () => {
    const name = 'Motion while armed';
    await makeRule({
      name,
      trigger: { kind: 'event', types: ['motion.started'] },
      conditions: [{ kind: 'armed', states: ['armed'] }],
    });
    await hear('motion.started');
    expect(incidentsOf(name)).toBe(0);
    const panel = {
      account: '1234',
      code: 'CL',
      code_name: 'Closing',
      protocol: 'SIA-DCS',
    };
    await hear('panel.closed', panel);
    await restart();
    await hear('motion.started');
    expect(incidentsOf(name)).toBe(1);
    clock.advance(minute);
    await hear('panel.opened', { ...panel, code: 'OP', code_name: 'Opening' });
    await hear('motion.started');
    expect(incidentsOf(name)).toBe(1);
  });

  it('is quiet in its cooldown, also over a restart', async () => {
    const name = 'Forced, at most every ten minutes';
    await makeRule({ name, trigger: { kind: 'event', types: ['door.forced'] }, cooldown_ms: 10 * minute });
    await hear('door.forced');
    await restart(5 * minute);
    await hear('door.forced');
    expect(incidentsOf(name)).toBe(1);
    clock.advance(5 * minute + 1);
    await hear('door.forced');
    expect(incidentsOf(name)).toBe(2);
  });
});

describe('a command by a rule', () => {
  it('that cannot be given does not undo the alarm it belongs to, and says so on its timeline', async () => {
    const rule: Rule = {
      name: 'Lock when forced',
      trigger: { kind: 'event', types: ['door.forced'] },
      actions: [
        { kind: 'incident', title: 'Lock when forced', severity: 'high' },
        { kind: 'command', target: 'trigger', name: 'lock' },
      ],
    };
    await call(core, 'createRule', { token, body: rule });
    await hear('door.forced');
    await renew();
    const [incident] = (await call(core, 'listIncidents', { token, query: { q: 'Lock when' } })).items;
    const timeline = await call(core, 'listTimeline', {
      token,
      params: { id: incident?.id ?? '' },
      query: {},
    });
    const entry = timeline.items.find((one) => one.kind === 'command');
    expect(entry?.text).toMatch(/^lock could not be sent: "Dock door" hangs on no enrolled controller/);
  });
});
