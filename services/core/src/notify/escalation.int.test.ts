/** Escalation: its steps are timers in the database, so no restart loses one. */
import { call, tempDir, waitFor, type CallOutput, type FakeClock, type TempDir } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ada, addPerson, setUp, signIn, type Person } from '../testing/people.ts';
import { startTestCore, type TestCore } from '../testing/test-core.ts';

let dir: TempDir;
let core: TestCore;
let admin: Person & { orgId: string };
let guard: Person;
let clock: FakeClock;

beforeEach(async () => {
  dir = await tempDir('escalation');
  core = await startTestCore({ dir: dir.path, run: true });
  ({ clock } = core);
  admin = await setUp(core);
  const scope = { kind: 'org' as const, id: admin.orgId };
  guard = await addPerson(core, admin.token, { name: 'Gus', role: 'guard', scope });
  await call(core, 'createEscalation', {
    token: admin.token,
    body: {
      name: 'Night plan',
      severity_min: 'high',
      default: true,
      steps: [
        { after_ms: 60_000, user_ids: [guard.id], channels: ['console'] },
        { after_ms: 120_000, user_ids: [admin.id], channels: ['console', 'email'] },
      ],
    },
  });
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
  await dir.remove();
});

async function restart(whileDownMs: number): Promise<void> {
  await core[Symbol.asyncDispose]();
  clock.advance(whileDownMs);
  core = await startTestCore({ dir: dir.path, clock, run: true });
  await renew();
}
/** Tokens live for five minutes of the box's time. */
async function renew(): Promise<void> {
  const { token } = await signIn(core, ada.email, ada.password);
  admin = { ...admin, token };
}
async function open(severity: 'high' | 'medium' = 'high'): Promise<string> {
  const areas = await call(core, 'listAreas', { token: admin.token, query: {} });
  const body = { title: 'Door forced', severity, area_id: areas.items[0]?.id ?? '' };
  return (await call(core, 'createIncident', { token: admin.token, body })).id;
}
const read = (id: string): Promise<CallOutput<'getIncident'>> =>
  call(core, 'getIncident', { token: admin.token, params: { id } });
const levelOf = async (id: string): Promise<number> => (await read(id)).escalation_level;
const timersLeft = (): number =>
  core.db.prepare<[], { n: number }>(`SELECT count(*) AS n FROM timers WHERE owner = 'escalation'`).get()
    ?.n ?? -1;
const escalated = async (id: string): Promise<string[]> =>
  (await call(core, 'listTimeline', { token: admin.token, params: { id }, query: {} })).items
    .filter((entry) => entry.kind === 'escalated')
    .map((entry) => entry.text)
    .sort();

describe('escalation', () => {
  it('tells one after the other while nobody acknowledges, also over a restart, each once', async () => {
    const id = await open();
    clock.advance(60_000);
    await waitFor('the first step', async () => (await levelOf(id)) === 1);
    expect(await escalated(id)).toEqual(['Nobody acknowledged; level 1: Gus on the console']);
    await restart(120_000);
    await waitFor('the second step', async () => (await levelOf(id)) === 2);
    expect(timersLeft()).toBe(0);
    expect(await escalated(id)).toEqual([
      'Nobody acknowledged; level 1: Gus on the console',
      'Nobody acknowledged; level 2: Ada Admin by e-mail, Ada Admin on the console',
    ]);
    const { items } = await call(core, 'listDeliveries', { token: admin.token, query: {} });
    expect(items.map((one) => [one.channel, one.target, one.critical])).toEqual([['email', ada.email, true]]);
  });

  it('fires a step that came due while the box was down, once it is up', async () => {
    const id = await open();
    await restart(3_600_000);
    await waitFor('the first step', async () => (await levelOf(id)) >= 1);
    // The next one counts from then, so that nobody is passed over because the box was off.
    expect(await levelOf(id)).toBe(1);
    expect(timersLeft()).toBe(1);
  });

  it('stops when somebody acknowledges, and does not begin again for one who reopens it', async () => {
    const id = await open();
    const params = { id };
    const { token } = admin;
    await call(core, 'acknowledgeIncident', { token, params, body: {} });
    expect(timersLeft()).toBe(0);
    await call(core, 'resolveIncident', { token, params, body: { code: 'false_alarm', note: '' } });
    await call(core, 'reopenIncident', { token, params, body: { reason: 'It rang again' } });
    expect(timersLeft()).toBe(0);
    expect(await read(id)).toMatchObject({ state: 'acknowledged', escalation_level: 0 });
  });

  it('leaves alone what is not severe enough', async () => {
    await open('medium');
    expect(timersLeft()).toBe(0);
  });

  it('ends with its plan', async () => {
    const id = await open();
    const plans = await call(core, 'listEscalations', { token: admin.token });
    await call(core, 'deleteEscalation', { token: admin.token, params: { id: plans.items[0]?.id ?? '' } });
    clock.advance(60_000);
    await waitFor('the timer to be spent', () => timersLeft() === 0);
    expect(await levelOf(id)).toBe(0);
  });
});
