import { isGranted, type FeedEntry, type Grant } from '@siphera/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Cohort } from './cohort.ts';
import { backlogSeqMax, FanOut } from './fan-out.ts';
import { frameEntriesMax, type Lane, type Member } from './lane.ts';
import { roomsOfEntry, roomsOfGrants } from './rooms.ts';

const at = '2026-03-02T08:00:00.000Z';
const site = (digit: number): string => `site:00000000-0000-7000-8000-00000000000${digit}`;
const entry = (
  seq: number,
  scopes: string[] = [site(1)],
  audience: FeedEntry['audience'] = 'event.read',
): FeedEntry => ({
  seq,
  at,
  kind: 'event',
  action: 'created',
  id: `${seq}`,
  audience,
  scopes,
  data: {},
});
const rooms = (...sites: number[]): string[] =>
  roomsOfGrants(sites.map((digit) => ({ permissions: ['event.read'], scope: site(digit) })));

/** Members with what each was sent; checks on the way that no member hears of a position twice or backwards. */
function audience(fanOut: FanOut) {
  const got = new Map<Member, number[]>();
  let nowMs = 0;
  return {
    got,
    member: (id: string): Member => {
      const member: Member = { id, lane: undefined };
      got.set(member, []);
      return member;
    },
    tick: (stepMs = 50): ReturnType<FanOut['tick']> => {
      nowMs += stepMs;
      const lanes = new Map([...got.keys()].map((member) => [member, member.lane] as const));
      const tick = fanOut.tick(nowMs, at, true);
      const sentTo = (lane: Lane): Member[] => [...got.keys()].filter((member) => lanes.get(member) === lane);
      for (const { lane, frame } of tick.frames)
        for (const member of sentTo(lane)) got.get(member)?.push(...frame.entries.map((item) => item.seq));
      return tick;
    },
  };
}

describe('rooms', () => {
  const grantOf = fc.record({
    permissions: fc.uniqueArray(fc.constantFrom('event.read', 'audit.read', 'incident.read' as const)),
    scope: fc.integer({ min: 1, max: 4 }).map(site),
  }) as fc.Arbitrary<Grant>;

  it('meet exactly where the contract grants', () => {
    fc.assert(
      fc.property(
        fc.array(grantOf, { maxLength: 4 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
        fc.constantFrom('event.read', 'audit.read'),
        (grants, sites, permission) => {
          const item = entry(1, sites.map(site), permission);
          const mine = new Set(roomsOfGrants(grants));
          const meets = roomsOfEntry(item).some((room) => mine.has(room));
          expect(meets).toBe(isGranted(grants, item.audience, item.scopes));
        },
      ),
    );
  });
});

describe('fan-out', () => {
  it('gives members with the same rooms one frame', () => {
    const fanOut = new FanOut(0);
    const all = audience(fanOut);
    for (const id of ['a', 'b', 'c']) fanOut.enter(all.member(id), rooms(1), undefined, 0);
    all.tick();
    fanOut.dispatch({ entries: [entry(1)], upto: 1, at });
    const { frames } = all.tick();
    expect(frames).toHaveLength(1);
    expect(frames[0]?.lane.members.size).toBe(3);
    expect([...all.got.values()]).toEqual([[1], [1], [1]]);
  });

  it('cuts a burst into frames, each saying how far it reaches', () => {
    const fanOut = new FanOut(0);
    const all = audience(fanOut);
    fanOut.enter(all.member('a'), rooms(1), undefined, 0);
    all.tick();
    const count = frameEntriesMax + 10;
    fanOut.dispatch({
      entries: Array.from({ length: count }, (_, index) => entry(index + 1)),
      upto: 600,
      at,
    });
    expect(all.tick().frames[0]?.frame.upto).toBe(frameEntriesMax);
    expect(all.tick().frames[0]?.frame.upto).toBe(600);
  });

  it('is silent while core is silent, and beats each second otherwise', () => {
    const fanOut = new FanOut(0);
    const member: Member = { id: 'a', lane: undefined };
    fanOut.enter(member, rooms(1), undefined, 0);
    fanOut.tick(0, at, true);
    expect(fanOut.tick(900, at, true).frames).toHaveLength(1);
    expect(fanOut.tick(1_800, at, true).frames).toHaveLength(0);
    expect(fanOut.tick(1_900, at, true).frames).toHaveLength(1);
    expect(fanOut.tick(9_000, at, false).frames).toHaveLength(0);
  });

  it('refuses a member that is too far back', () => {
    const fanOut = new FanOut(backlogSeqMax + 10);
    expect(fanOut.enter({ id: 'a', lane: undefined }, rooms(1), 5, 0)).toBeUndefined();
    expect(fanOut.viewCount).toBe(0);
  });

  it('tells when the feed went back', () => {
    const fanOut = new FanOut(10);
    expect(fanOut.dispatch({ entries: [], upto: 9, at })).toBe(false);
    expect(fanOut.position).toBe(9);
  });

  it('gives up on a member that is ahead of the feed and stays so', () => {
    const fanOut = new FanOut(10);
    fanOut.enter({ id: 'a', lane: undefined }, rooms(1), 50, 0);
    expect(fanOut.tick(1_000, at, true).lost).toHaveLength(0);
    expect(fanOut.tick(6_000, at, true).lost).toHaveLength(1);
  });

  it('keeps no view that nobody looks at', () => {
    const fanOut = new FanOut(0);
    const member: Member = { id: 'a', lane: undefined };
    fanOut.enter(member, rooms(1), undefined, 0);
    fanOut.tick(50, at, true);
    expect(fanOut.viewCount).toBe(1);
    fanOut.leave(member);
    expect(fanOut.viewCount).toBe(0);
  });

  type Step =
    | { kind: 'enter'; back: number; sites: number[] }
    | { kind: 'line'; count: number; site: number }
    | { kind: 'leave' }
    | { kind: 'read' }
    | { kind: 'tick' };
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({
      kind: fc.constant('enter' as const),
      back: fc.integer({ min: -3, max: 40 }),
      sites: fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('line' as const),
      count: fc.integer({ min: 0, max: 30 }),
      site: fc.integer({ min: 1, max: 3 }),
    }),
    fc.constantFrom<Step>({ kind: 'leave' }, { kind: 'read' }, { kind: 'tick' }, { kind: 'tick' }),
  );

  it('gives each member each entry it may see after its position, once, in order, however they come and go', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const log: FeedEntry[] = [];
        const fanOut = new FanOut(0);
        const all = audience(fanOut);
        const expected = new Map<Member, { after: number; rooms: string[]; upto: number }>();
        const unread = new Set<Cohort>();
        const readBacklogs = (): void => {
          for (const cohort of unread) {
            if (cohort.complete) continue;
            cohort.fillBacklog(log.filter((item) => cohort.wantsBacklog(item.seq, roomsOfEntry(item))));
          }
          unread.clear();
        };
        const run = (todo: Step): void => {
          if (todo.kind === 'tick') all.tick();
          else if (todo.kind === 'read') readBacklogs();
          else if (todo.kind === 'leave') {
            const gone = [...expected.keys()].find((member) => member.lane !== undefined);
            if (gone) {
              fanOut.leave(gone);
              expected.delete(gone);
            }
          } else if (todo.kind === 'line') {
            const entries = Array.from({ length: todo.count }, (_, index) =>
              entry(log.length + 1 + index, [site(todo.site)]),
            );
            log.push(...entries);
            fanOut.dispatch({ entries, upto: log.length, at });
          } else if (todo.kind === 'enter') {
            const member = all.member(`m${expected.size}`);
            const after = Math.max(0, log.length - todo.back);
            const cohort = fanOut.enter(member, rooms(...todo.sites), after, 0);
            if (cohort) unread.add(cohort);
            expected.set(member, { after, rooms: rooms(...todo.sites), upto: 0 });
          }
        };
        for (const todo of steps) run(todo);
        readBacklogs();
        all.tick();
        all.tick();
        for (const [member, { after, rooms: mine }] of expected) {
          const wanted = log
            .filter((item) => item.seq > after && roomsOfEntry(item).some((room) => mine.includes(room)))
            .map((item) => item.seq);
          expect(all.got.get(member)).toEqual(wanted);
        }
      }),
      { numRuns: 300 },
    );
  });
});
