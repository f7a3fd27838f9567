/** What an envelope may do, whoever wrote it: a person who was let in may be hostile too. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';
import { memoryStorage } from '../side/memory-storage.ts';
import type { Envelope } from '../content.ts';
import { Ground } from './ground.ts';
import { applyArrival, directConversation, type ArrivalVerdict } from './inbox.ts';
import { Machine, openOlm } from './machine.ts';
import type { StoredMessage } from './records.ts';
import { Store } from './store.ts';

const [me, bob, cyd] = [randomUUID(), randomUUID(), randomUUID()];
let ground: Ground;

beforeEach(async () => {
  const { place } = new MemoryProfile(new MemoryServer(), me);
  const olm = await openOlm(`@${me}:${place.orgId}`, 'AAAAAAAAAA');
  ground = new Ground(place, new Machine(olm, place), new Store(memoryStorage()), () => undefined);
});

const envelope = (content: unknown, n = 1, id: string = randomUUID()): Envelope => ({
  v: 1,
  id,
  conv: `d:${[me, bob].sort().join(':')}`,
  n,
  at: 1_000,
  content,
});

const arrive = (one: Envelope, senderId = bob): Promise<ArrivalVerdict> =>
  ground.write((draft) =>
    applyArrival(
      ground,
      draft,
      {
        envelope: one,
        conv: `d:${bob}`,
        senderId,
        senderDevice: 'BBBBBBBBBB',
        at: 2_000,
        seq: null,
        trust: 'known',
        senderUnsigned: false,
        unproven: false,
        history: false,
      },
      () => undefined,
    ),
  );
const contentOf = async (id: string): Promise<StoredMessage['content'] | undefined> =>
  (await ground.store.get<StoredMessage>('messages', id))?.content;

describe('an envelope', () => {
  it('is of the conversation of its writer and me, or of none', () => {
    const one = envelope({ t: 'text', body: 'x' });
    expect(directConversation(ground, one, bob)).toBe(`d:${bob}`);
    expect(directConversation(ground, one, me)).toBe(`d:${bob}`);
    expect(directConversation(ground, one, cyd)).toBeUndefined();
    expect(
      directConversation(ground, { ...one, conv: `d:${[bob, cyd].sort().join(':')}` }, bob),
    ).toBeUndefined();
    expect(directConversation(ground, { ...one, conv: `r:${randomUUID()}` }, bob)).toBeUndefined();
  });

  it('counts once', async () => {
    const one = envelope({ t: 'text', body: 'open the gate' });
    expect(await arrive(one)).toBe('new');
    expect(await arrive({ ...one, n: 2, content: { t: 'text', body: 'open all gates' } })).toBe('duplicate');
    expect(await contentOf(one.id)).toMatchObject({ body: 'open the gate' });
    const ack = envelope({ t: 'ack', target: one.id }, 2);
    expect(await arrive(ack)).toBe('new');
    expect(await arrive(ack)).toBe('duplicate');
  });

  it('of a kind that is not known is kept as of a newer version', async () => {
    const [poll, broken] = [
      envelope({ t: 'poll', options: [] }),
      envelope({ t: 'text', body: 'x'.repeat(4_001) }, 2),
    ];
    await arrive(poll);
    await arrive(broken);
    expect(await contentOf(poll.id)).toEqual({ t: 'newer_version' });
    expect(await contentOf(broken.id)).toEqual({ t: 'newer_version' });
  });

  it('changes no message of another, whatever it says', async () => {
    const mine = envelope({ t: 'text', body: 'mine', must_ack: true });
    await arrive(mine, me);
    await arrive(envelope({ t: 'edit', target: mine.id, body: 'his' }));
    await arrive(envelope({ t: 'delete', target: mine.id }, 2));
    expect(await contentOf(mine.id)).toMatchObject({ t: 'text', body: 'mine' });
  });

  it('that changes a message may come before it, and still is only its writer’s', async () => {
    const id = randomUUID();
    await arrive(envelope({ t: 'edit', target: id, body: 'of another' }), me);
    await arrive(envelope({ t: 'edit', target: id, body: 'second' }, 2));
    await arrive(envelope({ t: 'text', body: 'first' }, 1, id));
    expect(await contentOf(id)).toMatchObject({ body: 'second' });
  });

  it('with a receipt changes what I wrote to its writer, and nothing else', async () => {
    const [mine, his] = [envelope({ t: 'text', body: 'mine' }), envelope({ t: 'text', body: 'his' })];
    await arrive(mine, me);
    await arrive(his);
    await arrive(envelope({ t: 'receipt', state: 'read', targets: [mine.id, his.id] }, 0));
    const delivery = async (id: string): Promise<unknown> =>
      (await ground.store.get<StoredMessage>('messages', id))?.delivery;
    expect(await delivery(mine.id)).toBe('read');
    expect(await delivery(his.id)).toBe('delivered');
    await arrive(envelope({ t: 'receipt', state: 'delivered', targets: [mine.id] }, 0));
    expect(await delivery(mine.id)).toBe('read');
  });
});
