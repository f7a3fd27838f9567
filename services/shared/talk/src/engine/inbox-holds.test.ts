/** What must not hold up what comes in: a request of the library that fails, and one that hangs. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, held } from '../testing/acquainted.ts';
import { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer, Refused } from '../testing/memory-server.ts';
import { arrives, person, until } from '../testing/people.ts';
import { Machine, openOlm } from './machine.ts';

afterEach(closeAll);

describe('a message of somebody new', () => {
  it('is read although this device cannot put up new keys', async () => {
    const { server, ann, bob } = await acquainted();
    const cyd = await person(server);
    held(cyd.first);
    bob.first.fate = (route) => (route === 'uploadKeys' ? 'lost' : 'arrives');
    await cyd.first.engine.send(`d:${bob.userId}`, { body: 'one' });
    await arrives(bob.first, `d:${cyd.userId}`, 'one');
    await until(() => bob.first.logs.some((line) => line.includes('"what":"requests"')), 'keys to be put up');
    const dan = await person(server);
    held(dan.first);
    await dan.first.engine.send(`d:${bob.userId}`, { body: 'two' });
    await arrives(bob.first, `d:${dan.userId}`, 'two');
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'three' });
    await arrives(bob.first, `d:${ann.userId}`, 'three');
    expect(bob.first.logs.filter((line) => /writers_unknown|"what":"batch"/.test(line))).toEqual([]);
  });

  it('is read although his keys cannot be had, as from a device that nobody signed', async () => {
    const { server, bob } = await acquainted();
    const cyd = await person(server);
    held(cyd.first);
    bob.first.fate = (route) => (route === 'queryKeys' ? 'lost' : 'arrives');
    await cyd.first.engine.send(`d:${bob.userId}`, { body: 'one' });
    await arrives(bob.first, `d:${cyd.userId}`, 'one');
    const { items } = await bob.first.engine.messages(`d:${cyd.userId}`);
    expect(items.map((one) => one.senderUnsigned)).toEqual([true]);
  });
});

describe('the position of the device lists', () => {
  it('is said to be known only once the server has answered for it', async () => {
    const server = new MemoryServer();
    const [me, bob] = [randomUUID(), randomUUID()];
    const { place } = new MemoryProfile(server, me);
    const machine = new Machine(await openOlm(`@${me}:${place.orgId}`, 'AAAAAAAAAA'), place);
    const user = `@${bob}:${place.orgId}`;
    await machine.track([user]);
    server.tamper.queryKeys = () => {
      throw new Refused('bad_request', 400);
    };
    await machine.receive([], { changed: [user], upto: 5 }, {}, []);
    await machine.freshen();
    expect(machine.knownUpto).toBe(0);
    server.tamper = {};
    await machine.freshen();
    expect(machine.knownUpto).toBe(5);
  });
});
