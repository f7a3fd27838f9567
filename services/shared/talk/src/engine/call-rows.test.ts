/** Lines of calls: what a caller who names a call as he likes, and a device that was away, must not do to them. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../api.ts';
import type { ConversationId } from '../content.ts';
import { acquainted, closeAll, held } from '../testing/acquainted.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import { arrives, newDevice, recovered, texts, until } from '../testing/people.ts';

afterEach(closeAll);

const record = (callId: string, outcome: CallRecord['outcome']): CallRecord => ({
  callId,
  media: 'voice',
  direction: 'in',
  outcome,
  durationMs: outcome === 'answered' ? 60_000 : 0,
  startedAt: Date.parse('2026-11-28T12:00:00Z'),
  incidentId: null,
});
const outcomes = async (profile: MemoryProfile, conv: ConversationId): Promise<string[]> =>
  (await profile.engine.messages(conv)).items.flatMap(({ content }) =>
    content.t === 'event' && content.call ? [content.call.outcome] : [],
  );

describe('the line of a call', () => {
  it('stands beside a message whose id the caller gave his call', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const [message] = (await ann.first.engine.messages(conv)).items;
    await ann.first.engine.recordCall(bob.userId, record(message?.id ?? '', 'missed'));
    expect(await texts(ann.first, conv)).toEqual(['hello']);
    expect(await outcomes(ann.first, conv)).toEqual(['missed']);
    await until(() => server.archives.get(ann.userId)?.size === 2);
    const fresh = held(await newDevice(server, ann.userId));
    await fresh.engine.recover(ann.secret);
    expect(await texts(fresh, conv)).toEqual(['hello']);
    expect(await outcomes(fresh, conv)).toEqual(['missed']);
  });

  it('of a call that somebody else named like his is not replaced', async () => {
    const { ann, bob, conv } = await acquainted();
    const id = randomUUID();
    await ann.first.engine.recordCall(bob.userId, record(id, 'missed'));
    await ann.first.engine.recordCall(randomUUID(), record(id, 'answered'));
    expect(await outcomes(ann.first, conv)).toEqual(['missed']);
  });

  it('says that it was answered, whatever a device says that was away', async () => {
    const { server, ann, bob, conv } = await acquainted();
    const phone = held(await recovered(server, ann));
    const id = randomUUID();
    await phone.engine.recordCall(bob.userId, record(id, 'answered'));
    await until(() => server.archives.get(ann.userId)?.size === 2);
    await ann.first.engine.recordCall(bob.userId, record(id, 'missed'));
    await until(async () => (await outcomes(ann.first, conv))[0] === 'answered');
    await phone.engine.recordCall(bob.userId, record(id, 'missed'));
    expect(await outcomes(phone, conv)).toEqual(['answered']);
    // All that was to be archived is by now.
    await bob.first.engine.send(`d:${ann.userId}`, { body: 'last' });
    await arrives(ann.first, conv, 'last');
    await until(() => server.archives.get(ann.userId)?.size === 3);
    const fresh = held(await newDevice(server, ann.userId));
    await fresh.engine.recover(ann.secret);
    expect(await outcomes(fresh, conv)).toEqual(['answered']);
  });
});
