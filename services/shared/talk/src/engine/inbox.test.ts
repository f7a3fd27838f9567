/** What an envelope may do, whoever wrote it: a person who was let in may be hostile too. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';
import { memoryStorage } from '../side/memory-storage.ts';
import { TalkContent, type Envelope } from '../content.ts';
import { Ground } from './ground.ts';
import { applyArrival, directConversation, type Arrival, type ArrivalVerdict } from './inbox.ts';
import { Machine, openOlm } from './machine.ts';
import type { StoredMessage } from './records.ts';
import { Store } from './store.ts';

const [me, bob, cyd] = [randomUUID(), randomUUID(), randomUUID()];
let ground: Ground;
let moments: string[];

beforeEach(async () => {
  moments = [];
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

const arrive = (one: Envelope, senderId = bob, as: Partial<Arrival> = {}): Promise<ArrivalVerdict> =>
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
        signed: true,
        unproven: false,
        history: false,
        ...as,
      },
      (_, content) => moments.push(content.t),
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

  it.each([
    { from: 'a device that nobody signed', as: { signed: false, senderUnsigned: true } },
    { from: 'a device that is not known', as: { signed: false } },
    { from: 'somebody whose keys have changed', as: { trust: 'changed' as const } },
    { from: 'a key that somebody gave', as: { unproven: true } },
  ])(
    'from $from changes nothing, acknowledges nothing and does nothing in anybody’s name',
    async ({ as }) => {
      const [his, mine] = [
        envelope({ t: 'text', body: 'his' }),
        envelope({ t: 'text', body: 'mine', must_ack: true }),
      ];
      await arrive(his);
      await arrive(mine, me);
      const target = his.id;
      await arrive(envelope({ t: 'name', name: 'the real one' }, 2));
      await arrive(envelope({ t: 'edit', target, body: 'swapped' }, 3), bob, as);
      await arrive(envelope({ t: 'delete', target }, 4), bob, as);
      await arrive(envelope({ t: 'ack', target: mine.id }, 5), bob, as);
      await arrive(envelope({ t: 'name', name: 'swapped' }, 6), bob, as);
      await arrive(envelope({ t: 'receipt', state: 'read', targets: [mine.id] }, 0), bob, as);
      const call = { t: 'call', act: 'ringing', call_id: randomUUID() };
      for (const content of [call, { t: 'secret', name: 'archive_key', value: 'x' }])
        await arrive(envelope(content, 0), bob, as);
      expect(await contentOf(his.id)).toMatchObject({ t: 'text', body: 'his' });
      expect(await ground.store.get<StoredMessage>('messages', mine.id)).toMatchObject({
        acks: [],
        delivery: 'sent',
      });
      expect(ground.conversations.get(`d:${bob}`)?.name).toBe('the real one');
      expect(moments).toEqual([]);
    },
  );

  it('names a group out of a backup only while nobody proved is known to have named it', async () => {
    const name = (): string | null | undefined => ground.conversations.get(`d:${bob}`)?.name;
    const say = (text: string, at: number, as: Partial<Arrival>): Promise<ArrivalVerdict> =>
      arrive(envelope({ t: 'name', name: text }, at), bob, { at, ...as });
    await say('from a bundle', 5, { unproven: true });
    expect(name()).toBe('from a bundle');
    await say('older, from a bundle', 4, { unproven: true });
    expect(name()).toBe('from a bundle');
    await say('proved', 3, {});
    expect(name()).toBe('proved');
    await say('later, from a bundle', 6, { unproven: true });
    await say('older', 2, {});
    expect(name()).toBe('proved');
    await say('later', 7, {});
    expect(name()).toBe('later');
  });

  it('out of a backup changes what came out of one', async () => {
    const old = envelope({ t: 'text', body: 'old' });
    await arrive(old, bob, { unproven: true });
    await arrive(envelope({ t: 'edit', target: old.id, body: 'new' }, 2), bob, { unproven: true });
    expect(await contentOf(old.id)).toMatchObject({ body: 'new' });
  });

  it('that edits is passed over when a later one of the same device was here first', async () => {
    const one = envelope({ t: 'text', body: 'first' });
    await arrive(one);
    await arrive(envelope({ t: 'edit', target: one.id, body: 'third' }, 3));
    await arrive(envelope({ t: 'edit', target: one.id, body: 'second' }, 2));
    expect(await contentOf(one.id)).toMatchObject({ body: 'third' });
  });

  it('that edits takes back that the old words were acknowledged', async () => {
    const one = envelope({ t: 'text', body: 'gate 1', must_ack: true });
    const edit = envelope({ t: 'edit', target: one.id, body: 'gate 2' }, 2);
    const acks = async (): Promise<string[] | undefined> =>
      (await ground.store.get<StoredMessage>('messages', one.id))?.acks.map((ack) => ack.userId);
    await arrive(one);
    await arrive(envelope({ t: 'ack', target: one.id }), me);
    expect(await acks()).toEqual([me]);
    expect(ground.conversations.get(`d:${bob}`)?.toAck).toEqual([]);
    await arrive(edit);
    expect(await acks()).toEqual([]);
    expect(ground.conversations.get(`d:${bob}`)?.toAck).toEqual([one.id]);
    await arrive(envelope({ t: 'ack', target: one.id }), me, { senderDevice: 'C' });
    expect(await acks()).toEqual([]);
    await arrive(envelope({ t: 'ack', target: one.id, of: edit.id }), me, { senderDevice: 'C' });
    expect(await acks()).toEqual([me]);
  });

  it('that rings rings no longer than a phone does', () => {
    const invite = { t: 'call', act: 'invite', call_id: randomUUID(), media: 'voice', sdp: 'x' };
    for (const lifetime_ms of [-1, 45_001, 2 ** 40])
      expect(TalkContent.safeParse({ ...invite, lifetime_ms }).success).toBe(false);
    expect(TalkContent.safeParse({ ...invite, lifetime_ms: 45_000 }).success).toBe(true);
  });
});
