/** Who sees and hears of an incident on a running core: people bound to areas, devices that are moved, escalations. */
import { call, callRaw } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Timer } from '../kernel/timers.ts';
import { escalate } from '../notify/escalation.ts';
import { addPerson, setUp, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person & { orgId: string };
let dock: string;
let office: string;
let door: string;
let guard: Person;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
  const { token } = admin;
  const site = (await call(core, 'listSites', { token })).items[0]?.id ?? '';
  const area = async (name: string) =>
    (await call(core, 'createArea', { token, body: { site_id: site, name } })).id;
  dock = await area('Dock');
  office = await area('Office');
  door = (
    await call(core, 'createDevice', { token, body: { area_id: dock, kind: 'door', name: 'Dock door' } })
  ).id;
  guard = await addPerson(core, token, { name: 'Gus', role: 'guard', scope: { kind: 'area', id: dock } });
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const open = (token: string) =>
  call(core, 'createIncident', {
    token,
    body: { title: 'Smell of gas', severity: 'critical', area_id: dock, device_id: door },
  });
const dueAt = (): unknown =>
  core.db.prepare<[], { due_ms: number }>(`SELECT due_ms FROM timers WHERE owner = 'escalation'`).get()
    ?.due_ms;
const plan = () =>
  call(core, 'createEscalation', {
    token: admin.token,
    body: {
      name: 'Night',
      severity_min: 'low',
      steps: [{ after_ms: 60_000, channels: ['console'], user_ids: [guard.id] }],
      default: true,
    },
  });

describe('a guard of one area', () => {
  it('keeps the incident of a device that was moved out of his area', async () => {
    const { id } = await open(guard.token);
    await call(core, 'updateDevice', { token: admin.token, params: { id: door }, body: { area_id: office } });
    const { items } = await call(core, 'listIncidents', { token: guard.token });
    expect(items.map((item) => item.id)).toEqual([id]);
    const seen = await call(core, 'getIncident', { token: guard.token, params: { id } });
    expect(seen.id).toBe(id);
  });

  it('keeps the events of a device that was moved out of his area, in the list and one by one', async () => {
    const body = { specversion: '1.0' as const, id: 'e', source: 'test', type: 'door.opened', subject: door };
    const { results } = await call(core, 'appendEvents', { token: admin.token, body });
    const seq = results[0]?.seq ?? 0;
    await call(core, 'updateDevice', { token: admin.token, params: { id: door }, body: { area_id: office } });
    const { items } = await call(core, 'listEvents', { token: guard.token });
    expect(items.map((item) => item.seq)).toContain(seq);
    expect((await call(core, 'getEvent', { token: guard.token, params: { seq } })).seq).toBe(seq);
  });

  it('hears on the console of an escalation in his area', async () => {
    await plan();
    const { id } = await open(guard.token);
    const timer = core.db
      .prepare<[], Timer>(`SELECT * FROM timers WHERE owner = 'escalation'`)
      .get() as Timer;
    const told: Array<readonly string[]> = [];
    let seq = 1_000_000;
    escalate(
      {
        db: core.db,
        random: core.app.random,
        nowMs: core.clock.now() + 61_000,
        nextSeq: () => ++seq,
        change: (entry) => {
          if (entry.kind === 'notification') told.push(entry.scopes);
          return ++seq;
        },
        afterCommit: () => undefined,
      },
      timer,
    );
    expect(timer.key).toBe(id);
    expect(told.map((scopes) => scopes.includes(`area:${dock}`))).toEqual([true]);
  });

  it('cannot write a command into the timeline of an incident elsewhere', async () => {
    const elsewhere = await call(core, 'createIncident', {
      token: admin.token,
      body: { title: 'Elsewhere', severity: 'low', area_id: office },
    });
    const answer = await callRaw(core, 'unlockDoor', {
      token: guard.token,
      params: { id: door },
      body: { seconds: 5, incident_id: elsewhere.id },
    });
    expect(answer.status).toBe(422);
    expect(answer.body.toString()).toContain('no such incident');
  });
});

describe('an escalation', () => {
  it('is not put off by a change of severity', async () => {
    await plan();
    const { id } = await open(guard.token);
    const due = dueAt();
    core.clock.advance(30_000);
    await call(core, 'setIncidentSeverity', {
      token: guard.token,
      params: { id },
      body: { severity: 'high', reason: '' },
    });
    expect(dueAt()).toBe(due);
  });

  it('begins when the severity is raised to where the plan begins', async () => {
    await call(core, 'createEscalation', {
      token: admin.token,
      body: {
        name: 'Night',
        severity_min: 'critical',
        steps: [{ after_ms: 60_000, channels: ['console'] }],
        default: true,
      },
    });
    const { id } = await call(core, 'createIncident', {
      token: guard.token,
      body: { title: 'A smell', severity: 'low', area_id: dock },
    });
    expect(dueAt()).toBeUndefined();
    await call(core, 'setIncidentSeverity', {
      token: guard.token,
      params: { id },
      body: { severity: 'critical', reason: '' },
    });
    expect(dueAt()).toBe(core.clock.now() + 60_000);
  });
});
