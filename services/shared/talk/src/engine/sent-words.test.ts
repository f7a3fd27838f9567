/** What is said of a message that was sent, and what is kept of it: nothing is shown as sent that nobody can read, and nothing kept that is deleted. */
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, deviceOf, held, pair } from '../testing/acquainted.ts';
import { Refused, type Json } from '../testing/memory-server.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import { arrives, message, texts, until } from '../testing/people.ts';
import type { SentRecord } from './records.ts';
import type { Session } from './session.ts';

afterEach(closeAll);

const dayMs = 24 * 3_600_000;
const session = (profile: MemoryProfile): Session =>
  (profile.engine as unknown as { opened(): Session }).opened();

/** All that this device would send again. */
async function kept(profile: MemoryProfile): Promise<string> {
  const { ground } = session(profile);
  return JSON.stringify(await ground.store.range<SentRecord>('seen', 's|', 's}'));
}

describe('a direct message that no device of the recipient can read', () => {
  it('is failed in words while his devices are not signed, and goes out with the next try', async () => {
    const { server, ann, bob } = await pair();
    const conv = `d:${bob.userId}` as const;
    const user = server.mx(bob.userId);
    const id = deviceOf(server, bob).id;
    server.tamper.queryKeys = (answer, caller) => {
      const device = (answer['device_keys'] as Record<string, Record<string, Json>>)[user]?.[id];
      const signatures = (device?.['signatures'] as Record<string, Json> | undefined)?.[user];
      if (signatures && caller.userId === ann.userId)
        for (const name of Object.keys(signatures))
          if (name !== `ed25519:${id}`) Reflect.deleteProperty(signatures, name);
      return answer;
    };
    const sent = await ann.first.engine.send(conv, { body: 'where are you?' });
    const failed = await until(async () => {
      const delivery = (await message(ann.first, conv, sent))?.delivery;
      return delivery === 'waiting' ? undefined : delivery;
    });
    expect(failed).toEqual({ failed: 'This person has confirmed none of his devices yet' });
    server.tamper = {};
    server.changed(bob.userId);
    await until(async () =>
      (await ann.first.engine.devices(bob.userId)).devices.every((one) => one.signedByOwner),
    );
    await ann.first.engine.retry(sent);
    await arrives(bob.first, `d:${ann.userId}`, 'where are you?');
  });

  it('waits while no session can be made with them', async () => {
    const { server, ann, bob } = await pair();
    const conv = `d:${bob.userId}` as const;
    Object.assign(deviceOf(server, bob), { oneTime: {}, fallback: {} });
    const sent = await ann.first.engine.send(conv, { body: 'where are you?' });
    await until(() => ann.first.logs.some((line) => line.includes('can be encrypted to')));
    expect((await message(ann.first, conv, sent))?.delivery).toBe('waiting');
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual([]);
  });
});

describe('a message of mine that I deleted', () => {
  it('is kept for nobody who asks for it again, nor what it was edited to', async () => {
    const { ann, bob, conv } = await acquainted();
    const toAnn = `d:${ann.userId}` as const;
    const id = await ann.first.engine.send(conv, { body: 'code 4711' });
    await arrives(bob.first, toAnn, 'code 4711');
    await ann.first.engine.edit(id, 'code 4712');
    await arrives(bob.first, toAnn, 'code 4712');
    await until(async () => (await kept(ann.first)).includes('4712'));
    await ann.first.engine.remove(id);
    await until(async () => (await message(bob.first, toAnn, id))?.content.t === 'deleted');
    const rows = await kept(ann.first);
    expect(rows).toContain(id);
    expect(rows).not.toMatch(/code 471/);
    expect(rows).toContain('hello');
  });
});

describe('what is kept to be sent again', () => {
  it('is kept for a fortnight', async () => {
    const { server, ann } = await acquainted();
    await until(async () => (await kept(ann.first)).includes('hello'));
    ann.first.now = () => server.now() + 13 * dayMs;
    for (let look = 0; look < 3; look += 1) await session(ann.first).chores();
    expect(await kept(ann.first)).toContain('hello');
    ann.first.now = () => server.now() + 15 * dayMs;
    await until(async () => !(await kept(ann.first)).includes('hello'));
  });
});

describe('a device that the box does not know', () => {
  it('is not wiped, says so, and opens once the box knows it again', async () => {
    const { server, ann, conv } = await acquainted();
    const known = server.device.bind(server);
    server.device = () => {
      throw new Refused('not_found', 404);
    };
    await ann.first.restart();
    const state = await ann.first.engine.state();
    expect(state).toMatchObject({
      is: 'failed',
      reason: expect.stringContaining('does not know this device'),
    });
    expect(ann.first.keep.size).toBe(1);
    server.device = known;
    await ann.first.engine.open();
    expect((await ann.first.engine.state()).is).toBe('ready');
    expect(await texts(held(ann.first), conv)).toEqual(['hello']);
  });

  it('is not wiped by an answer that is not of the box', async () => {
    const { server, ann } = await acquainted();
    server.device = () => {
      throw new Refused('bad_gateway', 410);
    };
    await ann.first.restart();
    expect((await ann.first.engine.state()).is).toBe('failed');
    expect(ann.first.keep.size).toBe(1);
  });
});
