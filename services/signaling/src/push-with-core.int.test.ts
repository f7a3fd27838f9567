/** Push beside the real core: an incident of core rings the phone of a guard of its area, and what came of it is on core's timeline. */
import {
  call,
  setupAdmin,
  startBox,
  startFakePushService,
  tempDir,
  waitFor,
  type Box,
  type FakeBrowser,
  type FakePushService,
  type SetUp,
  type TempDir,
} from '@siphera/testkit';
import { systemRandom } from '@siphera/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pushOf } from './testing/push-rig.ts';

const password = 'a long enough passphrase 42';
let dir: TempDir;
let push: FakePushService;
let box: Box;
let first: SetUp;

beforeAll(async () => {
  dir = await tempDir('push');
  push = await startFakePushService(dir.path);
  const env = { PUSH_ALLOW_HOSTS: push.host, PUSH_CA_FILE: push.caFile };
  box = await startBox({ services: ['signaling'], env: { signaling: env } });
  first = await setupAdmin(box);
});
afterAll(async () => {
  await box.stop();
  await push.close();
  await dir.remove();
});

/** A guard of one area who is on duty, with a phone. */
async function guardOf(areaId: string): Promise<{ id: string; token: string; phone: FakeBrowser }> {
  const { token: admin } = first;
  const email = `${systemRandom.uuid()}@example.org`;
  const { id } = await call(box, 'createUser', {
    token: admin,
    body: { name: 'Gil Guard', email, password },
  });
  const subject = { kind: 'user', id } as const;
  const scope = { kind: 'area', id: areaId } as const;
  await call(box, 'createRoleBinding', { token: admin, body: { subject, role: 'guard', scope } });
  const { access_token: token } = await call(box, 'login', {
    body: { email, password, device_name: 'Phone' },
  });
  await call(box, 'setPresence', { token, body: { on_duty: true } });
  const phone = push.subscribe((await call(box, 'getPushKey', { token })).public_key);
  await call(box, 'putPushSubscription', { token, body: { ...phone.subscription, name: 'Pixel' } });
  // With his role: it may have read core's people between the two.
  await waitFor('signaling to know the guard', async () =>
    (await call(box, 'listPeople', { token })).items.some(
      (person) => person.id === id && person.roles.length > 0,
    ),
  );
  return { id, token, phone };
}

const notices = async (id: string) =>
  (await call(box, 'listTimeline', { token: first.token, params: { id }, query: {} })).items.filter(
    ({ kind }) => kind === 'notification',
  );

it('rings the guard of the area, and puts on the timeline what came of it', async () => {
  const { token } = first;
  const site_id = (await call(box, 'listSites', { token })).items[0]?.id ?? '';
  const area = async (name: string) => (await call(box, 'createArea', { token, body: { site_id, name } })).id;
  const [dock, office] = [await area('Dock'), await area('Office')];
  const [inside, outside] = [await guardOf(dock), await guardOf(office)];
  const open = (area_id: string) =>
    call(box, 'createIncident', { token, body: { title: 'Door forced', severity: 'high', area_id } });

  const incident = await open(dock);
  const alarm = await pushOf(inside.phone);
  expect(alarm.payload).toMatchObject({
    kind: 'alarm',
    incident_id: incident.id,
    number: incident.number,
    severity: 'high',
    place: 'Dock',
  });
  await call(box, 'receiptPush', { body: { receipt: String(alarm.payload['receipt']), state: 'shown' } });
  const [shown] = await waitFor('the line', async () => {
    const lines = await notices(incident.id);
    return lines.length > 0 ? lines : undefined;
  });
  expect(shown).toMatchObject({
    data: { push: 'shown', user_id: inside.id, name: 'Gil Guard', phone: 'Pixel' },
  });

  await call(box, 'acknowledgeIncident', { token: inside.token, params: { id: incident.id }, body: {} });
  expect((await pushOf(inside.phone, 2)).payload).toMatchObject({
    kind: 'cleared',
    incident_id: incident.id,
  });

  inside.phone.answerWith({ status: 410 });
  const unseen = await open(dock);
  const [notShown] = await waitFor('core’s own line', async () => {
    const lines = await notices(unseen.id);
    return lines.length > 0 ? lines : undefined;
  });
  expect(notShown).toMatchObject({ data: { push: 'undelivered', user_id: inside.id } });
  expect(outside.phone.received).toEqual([]);
  expect(push.faults).toEqual([]);
});
