/** The engine against the real thing: core, signaling and its socket. What a hostile or a sick server does is in `engine/`. */
import { call, setupAdmin, startBox, waitFor, type Box } from '@siphera/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BoxProfile } from './testing/box-place.ts';
import { arrives, message, texts, until } from './testing/people.ts';

const password = 'a long enough passphrase 42';
let box: Box;
let admin: string;
let org: string;
const open: BoxProfile[] = [];

beforeAll(async () => {
  box = await startBox({ services: ['signaling'] });
  const setUp = await setupAdmin(box);
  admin = setUp.token;
  org = (JSON.parse(Buffer.from(admin.split('.')[1] ?? '', 'base64url').toString()) as { org: string }).org;
});
afterAll(() => box.stop());
afterEach(async () => {
  for (const profile of open.splice(0)) await profile.stop();
});

type Guard = { id: string; email: string; secret: string; first: BoxProfile };

async function profileOf(email: string, device_name: string): Promise<BoxProfile> {
  const { access_token: token } = await call(box, 'login', { body: { email, password, device_name } });
  const profile = await waitFor('signaling to know the guard', () =>
    BoxProfile.start(box, token).catch(() => undefined),
  );
  open.push(profile);
  return profile;
}

async function guard(name: string): Promise<Guard> {
  const email = `${randomUUID()}@example.org`;
  const { id } = await call(box, 'createUser', { token: admin, body: { name, email, password } });
  await call(box, 'createRoleBinding', {
    token: admin,
    body: { subject: { kind: 'user', id }, role: 'guard', scope: { kind: 'org', id: org } },
  });
  // Of core's people signaling hears a moment later; to whom it does not know it takes no message.
  await waitFor('signaling to know what he may', async () => {
    const { items } = await call(box, 'listPeople', { token: admin });
    return items.some((person) => person.id === id && person.roles.length > 0);
  });
  const first = await profileOf(email, 'Desk');
  const { recoverySecret } = await until(() =>
    first.engine.begin({ name: 'Desk', kind: 'personal' }).catch(() => undefined),
  );
  if (recoverySecret === null) throw new Error('The first device makes a secret');
  return { id, email, secret: recoverySecret, first };
}

async function secondDevice(who: Guard): Promise<BoxProfile> {
  const profile = await profileOf(who.email, 'Phone');
  await profile.engine.begin({ name: 'Phone', kind: 'personal' });
  await profile.engine.recover(who.secret);
  return profile;
}

describe('two guards at one box', () => {
  it('write to one another on all their devices, with receipts, files and history on a new one', async () => {
    const [ann, bob] = [await guard('Ann'), await guard('Bob')];
    const [toBob, toAnn] = [`d:${bob.id}`, `d:${ann.id}`] as const;
    const id = await ann.first.engine.send(toBob, { body: 'gate 4 is open', mustAck: true });
    await arrives(bob.first, toAnn, 'gate 4 is open');
    await until(async () => (await message(ann.first, toBob, id))?.delivery === 'delivered', 'the receipt');
    await bob.first.engine.acknowledge(id);
    await until(async () => (await message(ann.first, toBob, id))?.acks.length === 1, 'the acknowledgement');
    await bob.first.engine.markRead(toAnn);
    await until(async () => (await message(ann.first, toBob, id))?.delivery === 'read', 'the reading');
    const blob = new Blob([new Uint8Array(50_000).fill(7)], { type: 'image/png' });
    const file = await ann.first.engine.send(toBob, { body: '', file: { blob, name: 'gate.png' } });
    await until(async () => (await message(bob.first, toAnn, file))?.content.t === 'file', 'the file');
    expect((await (await bob.first.engine.file(file, 'file')).arrayBuffer()).byteLength).toBe(50_000);
    await until(async () => ((await bob.first.engine.conversations())[0]?.lastAt ?? 0) > 0);

    await until(async () => {
      const archived = await bob.first.archived();
      return archived.includes(id) && archived.includes(file);
    }, 'the archive');
    const phone = await secondDevice(bob);
    await arrives(phone, toAnn, 'gate 4 is open');
    await ann.first.engine.send(toBob, { body: 'closed again' });
    for (const device of [bob.first, phone]) await arrives(device, toAnn, 'closed again');
    await phone.engine.send(toAnn, { body: 'thanks' });
    await arrives(ann.first, toBob, 'thanks');
    await arrives(bob.first, toAnn, 'thanks');
    for (const one of [ann.first, bob.first, phone])
      expect((await one.engine.conversations()).flatMap((conversation) => conversation.warnings)).toEqual([]);
  });

  it('meet in a group and in the room of an incident, which is read from its opening and filed', async () => {
    const [ann, bob, cyd] = [await guard('Ann'), await guard('Bob'), await guard('Cyd')];
    const group = await ann.first.engine.createGroup({ name: 'Night', memberIds: [bob.id] });
    await ann.first.engine.send(group, { body: 'evening' });
    await arrives(bob.first, group, 'evening');
    await bob.first.engine.addMembers(group, [cyd.id]);
    await arrives(cyd.first, group, 'evening');
    await cyd.first.engine.send(group, { body: 'hello' });
    for (const one of [ann, bob]) await arrives(one.first, group, 'hello');
    const { items } = await cyd.first.engine.messages(group);
    const hello = items.find(({ content }) => content.t === 'text' && content.body === 'hello')?.id ?? '';
    await bob.first.engine.markRead(group);
    const read = await until(async () => {
      const shown = await message(cyd.first, group, hello);
      return shown?.delivery === 'read' ? shown : undefined;
    }, 'the reading');
    expect(read.readBy).toEqual([bob.id]);

    const { items: sites } = await call(box, 'listSites', { token: admin });
    const area = await call(box, 'createArea', {
      token: admin,
      body: { site_id: sites[0]?.id ?? '', name: 'Dock' },
    });
    const incident = await call(box, 'createIncident', {
      token: admin,
      body: { title: 'Door forced', severity: 'high', area_id: area.id },
    });
    const room = await until(
      () => ann.first.engine.joinIncident(incident.id).catch(() => undefined),
      'the room',
    );
    await ann.first.engine.send(room, { body: 'smoke at the dock' });
    await until(async () =>
      (await ann.first.engine.messages(room)).items.every((one) => one.delivery !== 'waiting'),
    );
    expect(await bob.first.engine.joinIncident(incident.id)).toBe(room);
    await arrives(bob.first, room, 'smoke at the dock');
    await bob.first.engine.send(room, { body: 'on my way' });
    await arrives(ann.first, room, 'on my way');
    const body = await ann.first.engine.transcript(room);
    expect(body.document).toContain('on my way');
    const { access_token: token } = await call(box, 'login', {
      body: { email: ann.email, password, device_name: 'Desk' },
    });
    const filed = await call(box, 'fileTranscript', { token, params: { id: incident.id }, body });
    expect(filed).toMatchObject({ name: 'talk-transcript-1.json', created_by: 'Ann' });
  });

  it('confirm a new device by the code of one that is there, without the secret', async () => {
    const [ann, bob] = [await guard('Ann'), await guard('Bob')];
    const before = await ann.first.engine.send(`d:${bob.id}`, { body: 'from before' });
    await arrives(bob.first, `d:${ann.id}`, 'from before');
    await until(async () => (await bob.first.archived()).includes(before), 'the archive');
    const phone = await profileOf(bob.email, 'Phone');
    await phone.engine.begin({ name: 'Phone', kind: 'personal' });
    const flow = await phone.engine.verify(bob.id);
    const phase = (of: BoxProfile, wanted: string) =>
      until(async () => (await of.engine.verification(flow))?.phase === wanted, wanted);
    await phase(bob.first, 'requested');
    await bob.first.engine.verificationAct(flow, 'accept');
    const qr = await until(
      async () => (await bob.first.engine.verification(flow))?.qr ?? undefined,
      'a code',
    );
    await phase(phone, 'show_qr');
    await phone.engine.verificationAct(flow, { scanned: qr });
    await phase(bob.first, 'confirm');
    await bob.first.engine.verificationAct(flow, 'confirm');
    await phase(phone, 'done');
    await until(async () => (await phone.engine.state()).is === 'ready', 'ready');
    await arrives(phone, `d:${ann.id}`, 'from before');
    await phone.engine.send(`d:${ann.id}`, { body: 'from the phone' });
    await arrives(ann.first, `d:${bob.id}`, 'from the phone');
  });

  it('lose nothing when the socket goes and the page is loaded again', async () => {
    const [ann, bob] = [await guard('Ann'), await guard('Bob')];
    const [toBob, toAnn] = [`d:${bob.id}`, `d:${ann.id}`] as const;
    await ann.first.engine.send(toBob, { body: '0' });
    await arrives(bob.first, toAnn, '0');
    await bob.first.disconnect();
    for (const body of ['1', '2', '3']) await ann.first.engine.send(toBob, { body });
    await ann.first.disconnect();
    for (const body of ['4', '5']) await ann.first.engine.send(toBob, { body });
    await ann.first.engine.close();
    await ann.first.connect();
    await ann.first.open();
    await bob.first.connect();
    await arrives(bob.first, toAnn, '5');
    expect(await texts(bob.first, toAnn)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('are wiped when their device is removed, and warned when an identity is replaced', async () => {
    const [ann, bob] = [await guard('Ann'), await guard('Bob')];
    const toBob = `d:${bob.id}` as const;
    await ann.first.engine.send(toBob, { body: 'hello' });
    await arrives(bob.first, `d:${ann.id}`, 'hello');
    const state = await bob.first.engine.state();
    if (state.is !== 'ready') throw new Error('not ready');
    const other = await profileOf(bob.email, 'New phone');
    expect(await other.engine.begin({ name: 'New phone', kind: 'personal' })).toEqual({
      recoverySecret: null,
    });
    await other.engine.resetIdentity(password);
    await until(async () => (await ann.first.engine.devices(bob.id)).trust === 'changed', 'the warning');
    await ann.first.engine.acceptKeys(bob.id);
    await ann.first.engine.send(toBob, { body: 'is it you?' });
    await arrives(other, `d:${ann.id}`, 'is it you?');
    await call(box, 'removeTalkDevice', { token: admin, params: { id: state.deviceId } });
    await until(async () => (await bob.first.engine.state()).is === 'removed', 'the wipe');
  });
});
