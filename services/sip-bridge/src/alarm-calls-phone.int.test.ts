/** An alarm call to a real phone: baresip hears the voice by way of a media relay, and its key acknowledges. */
import { readFile, stat } from 'node:fs/promises';
import { internalPaths, type AlarmCallOrder, type FeedEntry, type InternalPerson } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import { openNetwork, startBaresip, startSipServer, tempDir, waitFor } from '@siphera/testkit';
import { expect, it } from 'vitest';
import { createAlarmCallsPart } from './alarm-calls.part.ts';
import { readWav } from './domain/alarm-audio.ts';
import { alarmNumber } from './domain/alarm-number.ts';
import { defaultPlan } from './domain/number-plan.ts';
import { startBridgeRig, testOrg } from './testing/bridge-rig.ts';
import { fakeBook } from './testing/fake-book.ts';

const wavHead = 44;
/** 16-bit samples at 8 kHz. */
const bytesPerSecond = 16_000;

function orderFor(user_id: string): Omit<FeedEntry, 'seq' | 'at'> {
  const data: AlarmCallOrder = {
    id: systemRandom.uuid(),
    org_id: testOrg,
    incident_id: systemRandom.uuid(),
    say: 'Door forced: back gate, loading dock',
    targets: [{ user_id, number: null }],
    rounds: 1,
    ring_s: 60,
  };
  const scopes = [`org:${testOrg}` as const];
  return { kind: 'alarm_call', action: 'created', id: data.id, audience: 'phone.read', scopes, data };
}

it('speaks to a desk phone, and takes its key', async () => {
  await using dir = await tempDir('alarm-phone');
  await using network = await openNetwork({ hostLink: true });
  const link = network.link!;
  await using server = await startSipServer({
    dir: dir.path,
    network,
    addresses: [network.address, link.inside],
    plan: {
      account: { desk201: { number: '201', secret: 'secret-of-201' } },
      number: {
        '201': { kind: 'user', classes: 'internal', ring: 60 },
        [alarmNumber]: { kind: 'user', classes: 'internal' },
      },
    },
  });
  await using phone = await startBaresip({
    dir: dir.path,
    network,
    number: '201',
    domain: server.domain,
    server: `${network.address}:${server.port}`,
    auth: { username: 'desk201', password: 'secret-of-201' },
  });
  await phone.signedIn();
  const book = { ...fakeBook(), plan: () => defaultPlan('US') };
  let zoe: InternalPerson | undefined;
  const rig = await startBridgeRig({
    env: {
      SIP_ADDRESS: `${link.inside}:${server.port}`,
      SIP_DOMAIN: server.domain,
      SIP_SECRET: server.secret,
    },
    before: (core) => {
      zoe = core.directory.addPerson(testOrg, 'Zoe', 'guard');
      core.answers.set(internalPaths.incidentLine, () => ({ added: true }));
      core.answers.set(internalPaths.acknowledgeIncident, () => ({ state: 'acknowledged', changed: true }));
    },
    parts: (ground) => [createAlarmCallsPart(ground, book, { waits: { settleMs: 100 } }).part],
  });
  try {
    book.put({ number: '201', kind: 'user', user_id: zoe?.id ?? '' });
    rig.core.tell(orderFor(zoe?.id ?? ''));
    await phone.event('CALL_INCOMING');
    await phone.accept();
    await phone.event('CALL_ESTABLISHED');
    const heard = async (): Promise<string | undefined> => (await phone.recordings('dec')).at(-1);
    await waitFor('two seconds of it', async () => {
      const file = await heard();
      return file !== undefined && (await stat(file)).size > wavHead + 2 * bytesPerSecond;
    });
    await phone.press('1');
    await phone.event('CALL_CLOSED');
    const { samples } = readWav(await readFile((await heard()) ?? ''));
    const loud = samples.filter((sample) => Math.abs(sample) > 1_500).length / samples.length;
    expect(loud).toBeGreaterThan(0.1);
    await waitFor('the key at core', () =>
      rig.core.posts.some(({ path }) => path === internalPaths.acknowledgeIncident),
    );
  } finally {
    await rig.stop();
  }
});
