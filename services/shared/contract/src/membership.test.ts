import { describe, expect, it } from 'vitest';
import {
  applyStatement,
  canonicalJson,
  emptyChain,
  nextStatement,
  statementText,
  type RoomChain,
} from './membership.ts';

const room = '0192f000-0000-7000-8000-0000000000aa';
const [ada, bob, cyd, dan] = ['a', 'b', 'c', 'd'].map(
  (letter) => `0192f000-0000-7000-8000-00000000000${letter}`,
) as [string, string, string, string];
const at = '2026-11-28T12:00:00.000Z';

type Action = Parameters<typeof nextStatement>[1]['action'];
const say = (chain: RoomChain, by: string, action: Action, userIds: string[] = []) =>
  nextStatement(chain, { action, userIds, byUser: by, byDevice: 'AAAAAAAAAA', at });

function after(chain: RoomChain, by: string, action: Action, userIds: string[] = []): RoomChain {
  const applied = applyStatement(chain, say(chain, by, action, userIds), `hash ${chain.n}`);
  if (!applied.ok) throw new Error(applied.reason);
  return applied.chain;
}
function reason(chain: RoomChain, by: string, action: Action, userIds: string[] = []): string {
  const applied = applyStatement(chain, say(chain, by, action, userIds), 'hash');
  return applied.ok ? 'ok' : applied.reason;
}
const group = after(emptyChain(room, 'group'), ada, 'create', [bob]);
const incident = after(emptyChain(room, 'incident'), ada, 'join');

describe('canonical JSON', () => {
  it('writes the example of RFC 8785, section 3.2.3', () => {
    const value = {
      numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts members by UTF-16 code units, as RFC 8785, section 3.2.3, lists them', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, ö: 7 };
    const read = JSON.parse(canonicalJson(value)) as Record<string, number>;
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
    expect(read).toEqual(value);
  });

  it('refuses what JSON cannot say', () => {
    for (const value of [undefined, NaN, Infinity, '\ud800', { a: undefined }, new Date(0), () => 1, 1n])
      expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it('signs every field of a statement, and no other', () => {
    const statement = { ...say(group, ada, 'add', [cyd]), signature: 'x', more: 1 };
    expect(JSON.parse(statementText(statement))).toEqual(say(group, ada, 'add', [cyd]));
  });
});

describe('membership by statements', () => {
  it('begins with the creator and those whom he names', () => {
    expect(group).toMatchObject({ n: 1, head: 'hash 0', members: [ada, bob] });
    expect(after(emptyChain(room, 'group'), ada, 'create', [ada, bob]).members).toEqual([ada, bob]);
  });

  it('lets members of a group add, remove and leave, and nobody else', () => {
    expect(after(group, bob, 'add', [cyd]).members).toEqual([ada, bob, cyd]);
    expect(after(group, bob, 'remove', [ada]).members).toEqual([bob]);
    expect(after(group, bob, 'leave').members).toEqual([ada]);
    expect(reason(group, dan, 'add', [cyd])).toBe('not_member');
    expect(reason(group, dan, 'remove', [ada])).toBe('not_member');
    expect(reason(group, dan, 'leave')).toBe('not_member');
    expect(reason(after(group, bob, 'leave'), bob, 'add', [bob])).toBe('not_member');
  });

  it('lets nobody join a group, and anybody a room of an incident', () => {
    expect(reason(group, dan, 'join')).toBe('not_in_this_kind');
    expect(after(incident, dan, 'join').members).toEqual([ada, dan]);
    expect(reason(incident, ada, 'join')).toBe('already_member');
    expect(after(incident, ada, 'add', [cyd]).members).toEqual([ada, cyd]);
    expect(reason(after(incident, dan, 'join'), ada, 'remove', [dan])).toBe('not_in_this_kind');
  });

  it('lets a room begin once, with what makes it', () => {
    for (const action of ['add', 'remove', 'join', 'leave'] as const)
      expect(reason(emptyChain(room, 'group'), ada, action, [bob])).toBe('not_first');
    expect(reason(emptyChain(room, 'incident'), ada, 'create', [bob])).toBe('ok');
    expect(reason(group, ada, 'create', [cyd])).toBe('not_first');
  });

  it('takes no statement out of order, of another chain or of another room', () => {
    const next = say(group, ada, 'add', [cyd]);
    const later = after(group, ada, 'add', [cyd]);
    for (const bad of [
      { ...next, n: 0 },
      { ...next, n: 2 },
      { ...next, prev: '' },
    ])
      expect(applyStatement(group, bad, 'hash')).toEqual({ ok: false, reason: 'out_of_order' });
    expect(applyStatement(later, next, 'hash')).toEqual({ ok: false, reason: 'out_of_order' });
    expect(applyStatement(group, { ...next, room_id: dan }, 'hash')).toEqual({
      ok: false,
      reason: 'other_room',
    });
  });

  it('takes no names that say nothing, twice the same, or another where one can only speak for oneself', () => {
    expect(reason(group, ada, 'add')).toBe('bad_names');
    expect(reason(group, ada, 'add', [cyd, cyd])).toBe('bad_names');
    expect(reason(group, ada, 'add', [bob])).toBe('already_member');
    expect(reason(group, ada, 'remove', [ada])).toBe('bad_names');
    expect(reason(group, ada, 'remove', [dan])).toBe('bad_names');
    expect(reason(group, ada, 'leave', [bob])).toBe('bad_names');
    expect(reason(incident, dan, 'join', [cyd])).toBe('bad_names');
  });

  it('holds 200 members and not one more', () => {
    const many = Array.from(
      { length: 199 },
      (_, i) => `0192f000-0000-7000-8000-${String(i).padStart(12, '0')}`,
    );
    const full = after(emptyChain(room, 'group'), ada, 'create', many);
    expect(full.members).toHaveLength(200);
    expect(reason(full, ada, 'add', [dan])).toBe('too_many');
  });
});
