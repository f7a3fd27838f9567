import { afterEach, describe, expect, it } from 'vitest';
import { MemoryServer } from '../testing/memory-server.ts';
import { arrives, person, texts, type Person } from '../testing/people.ts';

const people: Person[] = [];
afterEach(async () => {
  for (const { first } of people.splice(0)) await first.engine.close();
});

describe('a message that is asked for twice with its id', () => {
  it('is sent once, also across a restart, and answers the same', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    people.push(ann, bob);
    const id = crypto.randomUUID();
    const send = (): Promise<string> => ann.first.engine.send(`d:${bob.userId}`, { id, body: 'once' });
    expect(await Promise.all([send(), send()])).toEqual([id, id]);
    await ann.first.restart();
    expect(await send()).toBe(id);
    await ann.first.engine.send(`d:${bob.userId}`, { body: 'last' });
    await arrives(bob.first, `d:${ann.userId}`, 'last');
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['once', 'last']);
    expect(await texts(ann.first, `d:${bob.userId}`)).toEqual(['once', 'last']);
  });

  it('is refused when its name is no UUID', async () => {
    const server = new MemoryServer();
    const [ann, bob] = [await person(server), await person(server)];
    people.push(ann, bob);
    const sending = ann.first.engine.send(`d:${bob.userId}`, { id: 'one', body: 'x' });
    await expect(sending).rejects.toMatchObject({ code: 'refused' });
  });
});
