import { afterEach, describe, expect, it } from 'vitest';
import {
  arrives,
  message,
  newDevice,
  person,
  recovered,
  texts,
  until,
  type Person,
} from '../testing/people.ts';
import { closeAll, held } from '../testing/acquainted.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';

afterEach(closeAll);

async function pair(): Promise<{ server: MemoryServer; ann: Person; bob: Person }> {
  const server = new MemoryServer();
  const [ann, bob] = [await person(server), await person(server)];
  held(ann.first);
  held(bob.first);
  return { server, ann, bob };
}

describe('a direct message', () => {
  it('reaches all devices of both, in order, and is told delivered and read', async () => {
    const { server, ann, bob } = await pair();
    const annDesk = held(await recovered(server, ann));
    const bobPhone = held(await recovered(server, bob));
    const words = ['one', 'two', 'three', 'four'];
    let last = '';
    for (const body of words) last = await ann.first.engine.send(`d:${bob.userId}`, { body });
    for (const [profile, conv] of [
      [bob.first, `d:${ann.userId}`],
      [bobPhone, `d:${ann.userId}`],
      [annDesk, `d:${bob.userId}`],
    ] as const) {
      await arrives(profile, conv, 'four');
      expect(await texts(profile, conv)).toEqual(words);
    }
    await until(async () => (await message(ann.first, `d:${bob.userId}`, last))?.delivery === 'delivered');
    await bobPhone.engine.markRead(`d:${ann.userId}`);
    await until(async () => (await message(ann.first, `d:${bob.userId}`, last))?.delivery === 'read');
    await until(
      async () => (await bob.first.engine.conversations())[0]?.unread === 0,
      'read on the other device',
    );
    expect((await message(bob.first, `d:${ann.userId}`, last))?.senderUnsigned).toBe(false);
    expect((await message(bob.first, `d:${ann.userId}`, last))?.trust).toBe('known');
  });

  it('goes to a device that was recovered since, and to none that is unsigned', async () => {
    const { server, ann, bob } = await pair();
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'before' });
    await arrives(bob.first, `d:${ann.userId}`, 'before');
    const fresh = held(await newDevice(server, bob.userId));
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'while unsigned' });
    await arrives(bob.first, `d:${ann.userId}`, 'while unsigned');
    expect(await texts(fresh, `d:${ann.userId}`)).toEqual([]);
    await fresh.engine.recover(bob.secret);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'after' });
    await arrives(fresh, `d:${ann.userId}`, 'after');
    await arrives(fresh, `d:${ann.userId}`, 'while unsigned');
    expect(await texts(fresh, `d:${ann.userId}`)).toEqual(['before', 'while unsigned', 'after']);
  });

  it('waits while offline, survives a restart, and is sent once although its answer was lost', async () => {
    const { ann, bob } = await pair();
    ann.first.disconnect();
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'first' });
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'second' });
    let lost = 3;
    ann.first.fate = (route) => (route === 'sendDirect' && lost-- > 0 ? 'answer_lost' : 'arrives');
    await ann.first.restart();
    await arrives(bob.first, `d:${ann.userId}`, 'second');
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['first', 'second']);
    await until(async () => {
      const { items } = await ann.first.engine.messages(`d:${bob.userId}`);
      return items.every((one) => one.delivery === 'delivered');
    });
    expect(lost).toBeLessThan(0);
    expect((await bob.first.engine.conversations())[0]?.warnings).toEqual([]);
  });

  it('goes out although the clock of the device jumps, ahead and back', async () => {
    const { ann, bob } = await pair();
    const conv = `d:${ann.userId}` as const;
    const { now } = ann.first;
    let lost = 4;
    ann.first.fate = (route) => (route === 'sendDirect' && lost-- > 0 ? 'lost' : 'arrives');
    ann.first.now = () => now() + 8 * 3_600_000;
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'ahead' });
    await until(() => lost <= 2);
    ann.first.now = now;
    await arrives(bob.first, conv, 'ahead');
    ann.first.now = () => now() - 8 * 3_600_000;
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'back' });
    await arrives(bob.first, conv, 'back');
    expect(await texts(bob.first, conv)).toEqual(['ahead', 'back']);
    await until(async () => (await texts(ann.first, `d:${bob.userId}`)).join() === 'ahead,back');
  });

  it('is edited, deleted and acknowledged by those who may', async () => {
    const { ann, bob } = await pair();
    const conv = `d:${ann.userId}` as const;
    const id = await ann.first.engine.send(`d:${bob.userId}`, { body: 'gate 3', mustAck: true });
    await arrives(bob.first, conv, 'gate 3');
    expect((await bob.first.engine.conversations())[0]?.toAck).toBe(1);
    await ann.first.engine.edit(id, 'gate 4');
    await arrives(bob.first, conv, 'gate 4');
    await expect(bob.first.engine.edit(id, 'gate 5')).rejects.toMatchObject({ code: 'refused' });
    await bob.first.engine.acknowledge(id);
    const acked = await until(async () => (await message(ann.first, `d:${bob.userId}`, id))?.acks[0]);
    expect(acked.userId).toBe(bob.userId);
    expect((await bob.first.engine.conversations())[0]?.toAck).toBe(0);
    await ann.first.engine.remove(id);
    await until(async () => (await message(bob.first, conv, id))?.content.t === 'deleted');
  });

  it('that a device cannot read any more is asked for and sent again', async () => {
    const { ann, bob } = await pair();
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'first' });
    await arrives(bob.first, `d:${ann.userId}`, 'first');
    // The library decrypts, and the browser is killed before the engine has written it down.
    bob.first.failWrites = 1;
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'second' });
    await arrives(bob.first, `d:${ann.userId}`, 'second');
    expect(bob.first.failWrites).toBe(0);
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['first', 'second']);
  });

  it('carries a file that only those who got it can open', async () => {
    const { server, ann, bob } = await pair();
    const blob = new Blob(['<script>alert(1)</script>'], { type: 'text/html' });
    const id = await ann.first.engine.send(`d:${bob.userId}`, { body: '', file: { blob, name: 'x.html' } });
    await until(async () => (await message(bob.first, `d:${ann.userId}`, id))?.content.t === 'file');
    const file = await bob.first.engine.file(id, 'file');
    expect(await file.text()).toBe('<script>alert(1)</script>');
    expect(file.type).toBe('application/octet-stream');
    for (const bytes of server.files.values()) expect(Buffer.from(bytes).toString()).not.toContain('script');
  });

  it('to somebody without a device says so, and goes when it is tried again', async () => {
    const { server, ann } = await pair();
    const late = { userId: crypto.randomUUID() };
    const conv = `d:${late.userId}` as const;
    const id = await ann.first.engine.send(conv, { body: 'hello?' });
    await until(async () => typeof (await message(ann.first, conv, id))?.delivery === 'object');
    const first = held(await newDevice(server, late.userId));
    await ann.first.engine.retry(id);
    await arrives(first, `d:${ann.userId}`, 'hello?');
    expect((await message(ann.first, conv, id))?.delivery).not.toBe('waiting');
  });
});

describe('a call', () => {
  it('is heard by all devices of the callee, in order, and by no other', async () => {
    const { server, ann, bob } = await pair();
    const annDesk = held(await recovered(server, ann));
    const bobPhone = held(await recovered(server, bob));
    const call_id = crypto.randomUUID();
    const engine = ann.first.engine;
    void engine.sendCall(
      bob.userId,
      null,
      { t: 'call', act: 'invite', call_id, media: 'voice', sdp: 'v=0', lifetime_ms: 30_000 },
      { wake: true },
    );
    void engine.sendCall(bob.userId, null, { t: 'call', act: 'candidates', call_id, candidates: [] });
    const heard = (profile: MemoryProfile): string[] =>
      profile.changes.flatMap((change) => (change.what === 'call' ? [change.content.act] : []));
    for (const profile of [bob.first, bobPhone]) {
      await until(() => heard(profile).length === 2);
      expect(heard(profile)).toEqual(['invite', 'candidates']);
    }
    expect(heard(annDesk)).toEqual([]);
    const endless = {
      t: 'call',
      act: 'invite',
      call_id,
      media: 'voice',
      sdp: 'v=0',
      lifetime_ms: 1e9,
    } as const;
    await expect(engine.sendCall(bob.userId, null, endless)).rejects.toMatchObject({ code: 'refused' });
    const answer = { t: 'call', act: 'answer', call_id, sdp: 'v=0' } as const;
    const state = await ann.first.engine.state();
    if (state.is !== 'ready') throw new Error('not ready');
    await bobPhone.engine.sendCall(ann.userId, state.deviceId, answer);
    await until(() => heard(ann.first).includes('answer'));
  });
});
