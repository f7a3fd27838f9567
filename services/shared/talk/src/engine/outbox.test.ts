/** What must not hold back an order: a large file before it, and a call of the server that hangs. */
import { afterEach, describe, expect, it } from 'vitest';
import { acquainted, closeAll, held } from '../testing/acquainted.ts';
import { arrives, person, texts, until } from '../testing/people.ts';

afterEach(closeAll);

describe('an order', () => {
  it('goes while a large file before it is uploaded, and the file after it', async () => {
    const { ann, bob, conv } = await acquainted();
    const { promise, resolve } = Promise.withResolvers<void>();
    ann.first.uploadsHang = promise;
    const blob = new Blob([new Uint8Array(1_000)]);
    const file = await ann.first.engine.send(conv, { body: 'plan', file: { blob, name: 'plan.bin' } });
    await ann.first.engine.send(conv, { body: 'close gate 4' });
    await arrives(bob.first, `d:${ann.userId}`, 'close gate 4');
    expect(await texts(bob.first, `d:${ann.userId}`)).toEqual(['hello', 'close gate 4']);
    resolve();
    const there = await until(async () =>
      (await bob.first.engine.messages(`d:${ann.userId}`)).items.find((one) => one.id === file),
    );
    expect(there.content).toMatchObject({ t: 'file', body: 'plan' });
    expect((await ann.first.engine.conversations())[0]?.warnings).toEqual([]);
    expect((await bob.first.engine.conversations())[0]?.warnings).toEqual([]);
  });

  it('goes while the server does not answer for another conversation', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const cyd = await person(server);
    held(cyd.first);
    const group = await ann.first.engine.createGroup({ name: 'ours', memberIds: [cyd.userId] });
    await ann.first.engine.send(group, { body: 'one' });
    await arrives(cyd.first, group, 'one');
    const { promise, resolve } = Promise.withResolvers<void>();
    ann.first.hangs = (route) => (route === 'sendRoomEvent' ? promise : undefined);
    await ann.first.engine.send(group, { body: 'two' });
    await ann.first.engine.send(conv, { body: 'close gate 4' });
    await arrives(bob.first, `d:${ann.userId}`, 'close gate 4');
    expect(await texts(cyd.first, group)).toEqual(['one']);
    resolve();
    await arrives(cyd.first, group, 'two');
  });
});
