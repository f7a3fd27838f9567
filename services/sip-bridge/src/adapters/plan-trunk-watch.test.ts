import { join } from 'node:path';
import { TrunkInput, type IncomingEvent } from '@siphera/contract';
import { createLogger, KeyBox, migrate, openDatabase, type CoreOutbox } from '@siphera/runtime';
import { fakeClock, fakeRandom, tempDir } from '@siphera/testkit';
import { expect, it, onTestFinished } from 'vitest';
import type { PlannedTrunk } from '../plan.part.ts';
import { TrunkStore } from '../store/trunk.store.ts';
import { FakeSwitch } from '../testing/fake-switch.ts';
import { PlanTrunkWatch } from './plan-trunk-watch.ts';

const log = createLogger({ service: 'sip-bridge', level: 'error', destination: { write: () => undefined } });
const org = '0192f000-0000-7000-8000-000000000001';

async function start(input: Record<string, unknown>) {
  const dir = await tempDir('watch');
  const db = openDatabase(join(dir.path, 'db.sqlite'));
  onTestFinished(async () => {
    db.close();
    await dir.remove();
  });
  const clock = fakeClock();
  migrate(db, join(import.meta.dirname, '..', '..', 'migrations'), clock.now());
  const store = new TrunkStore(
    db,
    new KeyBox({ key: Buffer.alloc(32, 7), random: fakeRandom(), variable: 'KEY' }),
  );
  const body = TrunkInput.parse({ name: 'Fibre', host: 'sip.example', uses: ['emergency'], ...input });
  store.add({ id: 't1', orgId: org, input: body, password: undefined }, clock.now());
  const events: IncomingEvent[] = [];
  const kamailio = new FakeSwitch();
  const watch = new PlanTrunkWatch({
    db,
    store,
    book: { trunks: (): PlannedTrunk[] => store.all() },
    kamailio,
    // Only events are sent here.
    outbox: { event: (event: IncomingEvent) => void events.push(event) } as unknown as CoreOutbox,
    clock,
    log,
  });
  const says = (flags: string | undefined, registered = false): void => {
    const TARGETS =
      flags === undefined ? [] : [{ DEST: { URI: 'sip:a', FLAGS: flags, ATTRS: { BODY: 'trunk=t1' } } }];
    kamailio.answers.set('dispatcher.list', () => ({ RECORDS: [{ SET: { ID: 2, TARGETS } }] }));
    kamailio.answers.set('uac.reg_dump', () => [{ l_uuid: 't1', flags: registered ? 20 : 18 }]);
  };
  const told = (): string[] =>
    events.map(({ type, data }) => `${type}: ${(data as { reason: string }).reason}`);
  return { clock, kamailio, watch, says, told, trunk: { id: 't1', enabled: true } };
}

it('tells of a trunk that nothing leads to, once that has lasted', async () => {
  const { clock, watch, says, told } = await start({ kind: 'address', transport: 'tls' });
  says(undefined);
  await watch.look();
  expect(told()).toEqual([]);
  clock.advance(61_000);
  await watch.look();
  await watch.look();
  expect(told()).toEqual(['phone.trunk_lost: The SIP server has no way there: its name has no address']);
  says('AP');
  await watch.look();
  expect(told().slice(1)).toEqual(['phone.trunk_restored: Answers']);
});

it('gives a registration a minute to be made anew', async () => {
  const { clock, watch, says, told, trunk } = await start({ kind: 'register', username: 'box' });
  says('AP', true);
  await watch.look();
  expect(watch.state(trunk)).toMatchObject({ reachable: true, registered: true });
  says('AP', false);
  await watch.look();
  clock.advance(59_000);
  await watch.look();
  expect(told()).toEqual([]);
  clock.advance(2_000);
  await watch.look();
  expect(told()).toEqual(['phone.trunk_lost: Answers; we are not registered']);
});

it('knows nothing, and tells nothing, while Kamailio is away', async () => {
  const { clock, kamailio, watch, says, told, trunk } = await start({ kind: 'address' });
  says('AP');
  await watch.look();
  kamailio.down = true;
  clock.advance(600_000);
  await expect(watch.look()).rejects.toThrow('does not answer');
  expect(watch.state(trunk)).toMatchObject({ reachable: null, since: null });
  expect(told()).toEqual([]);
});
