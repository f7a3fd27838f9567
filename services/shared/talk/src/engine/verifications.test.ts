import { afterEach, describe, expect, it } from 'vitest';
import type { Verification } from '../api.ts';
import { arrives, newDevice, person, texts, until } from '../testing/people.ts';
import { closeAll, held } from '../testing/acquainted.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';

afterEach(closeAll);

const phase = (profile: MemoryProfile, flow: string, wanted: Verification['phase']): Promise<Verification> =>
  until(async () => {
    const view = await profile.engine.verification(flow);
    return view?.phase === wanted ? view : undefined;
  }, wanted);

async function begun(from: MemoryProfile, to: MemoryProfile, userId: string): Promise<string> {
  const flow = await from.engine.verify(userId);
  const view = await phase(to, flow, 'requested');
  expect(view.incoming).toBe(true);
  await to.engine.verificationAct(flow, 'accept');
  return flow;
}

describe('two people', () => {
  it('compare emoji, and know one another', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    const [a, b] = [held(ann.first), held(bob.first)];
    await a.engine.devices(bob.userId);
    await b.engine.devices(ann.userId);
    const flow = await begun(a, b, bob.userId);
    await phase(a, flow, 'show_qr');
    await a.engine.verificationAct(flow, 'start_emoji');
    const [left, right] = [await phase(a, flow, 'compare_emoji'), await phase(b, flow, 'compare_emoji')];
    expect(left.emoji).toHaveLength(7);
    expect(left.emoji).toEqual(right.emoji);
    await a.engine.verificationAct(flow, 'confirm');
    await b.engine.verificationAct(flow, 'confirm');
    await phase(a, flow, 'done');
    await phase(b, flow, 'done');
    await until(async () => (await a.engine.devices(bob.userId)).trust === 'verified');
    await until(async () => (await b.engine.devices(ann.userId)).trust === 'verified');
  });

  it('stop when one of them does not see the same', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    const [a, b] = [held(ann.first), held(bob.first)];
    await a.engine.devices(bob.userId);
    await b.engine.devices(ann.userId);
    const flow = await begun(a, b, bob.userId);
    await phase(a, flow, 'show_qr');
    await b.engine.verificationAct(flow, 'cancel');
    await phase(a, flow, 'cancelled');
    expect((await a.engine.devices(bob.userId)).trust).toBe('known');
  });
});

describe('a new device of mine', () => {
  it('scans the code of another one, and then has everything without a secret', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    const [old, other] = [held(bob.first), held(ann.first)];
    await other.engine.send(`d:${bob.userId}`, { body: 'from before' });
    await arrives(old, `d:${ann.userId}`, 'from before');
    const conv = await other.engine.createGroup({ name: 'Night', memberIds: [bob.userId] });
    await other.engine.send(conv, { body: 'in the room' });
    await arrives(old, conv, 'in the room');
    await until(() => (server.archives.get(bob.userId)?.size ?? 0) > 0);
    const fresh = held(await newDevice(server, bob.userId));
    const flow = await begun(fresh, old, bob.userId);
    const { qr } = await phase(old, flow, 'show_qr');
    if (!qr) throw new Error('no code');
    await phase(fresh, flow, 'show_qr');
    await fresh.engine.verificationAct(flow, { scanned: qr });
    await phase(old, flow, 'confirm');
    await old.engine.verificationAct(flow, 'confirm');
    await phase(fresh, flow, 'done');
    await until(async () => (await fresh.engine.state()).is === 'ready', 'ready');
    await arrives(fresh, `d:${ann.userId}`, 'from before');
    await arrives(fresh, conv, 'in the room');
    await fresh.engine.send(`d:${ann.userId}`, { body: 'hello' });
    await arrives(other, `d:${bob.userId}`, 'hello');
    expect(await texts(fresh, `d:${ann.userId}`)).toEqual(['from before', 'hello']);
  });
});
