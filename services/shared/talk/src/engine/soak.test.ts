/** Three people with two devices each, and a bad day: whatever is lost on the way, nothing is lost in the end, and nothing comes twice. */
import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import type { ConversationId } from '../content.ts';
import type { MemoryProfile } from '../testing/memory-place.ts';
import { MemoryServer } from '../testing/memory-server.ts';
import { person, recovered, texts, until, type Person } from '../testing/people.ts';

const open: MemoryProfile[] = [];
afterEach(async () => {
  for (const profile of open.splice(0)) await profile.engine.close();
});

/** Chance that can be repeated. */
function chance(seed: string): (below: number) => number {
  let drawn = 0;
  return (below) => {
    drawn += 1;
    return createHash('sha256').update(`${seed}:${drawn}`).digest().readUInt32BE(0) % below;
  };
}

const messagesCount = 300;
/** It takes some ten seconds; of a machine that many share, it may get only part. */
const patienceMs = 180_000;

it(
  'loses none of 300 messages, doubles none, and keeps the order of each writer, through drops, restarts and batches that come twice',
  async () => {
    const draw = chance('soak 2');
    const server = new MemoryServer();
    // A minute is a second: what is asked for again after a minute comes within the test.
    const began = server.now();
    server.now = () => began + Math.floor(performance.now() * 60);
    const people: Person[] = [];
    for (let at = 0; at < 3; at += 1) people.push(await person(server));
    const devices: { owner: Person; profile: MemoryProfile }[] = [];
    for (const owner of people) {
      const second = await recovered(server, owner);
      devices.push({ owner, profile: owner.first }, { owner, profile: second });
    }
    open.push(...devices.map((one) => one.profile));
    const [ann, bob, cyd] = people as [Person, Person, Person];
    const group = await ann.first.engine.createGroup({ name: 'all', memberIds: [bob.userId, cyd.userId] });
    for (const { profile } of devices) {
      await until(
        async () => (await profile.engine.conversations()).some((one) => one.id === group),
        'the group',
      );
      profile.fate = (route) =>
        draw(12) > 0 ? 'arrives' : draw(2) > 0 && route !== 'talkDone' ? 'answer_lost' : 'lost';
      profile.copies = 1 + draw(2);
    }
    /** By conversation as a pair or room, then by writing device: what it wrote. */
    const written = new Map<string, Map<MemoryProfile, string[]>>();
    const note = (where: string, by: MemoryProfile, body: string): void => {
      const there = written.get(where) ?? new Map<MemoryProfile, string[]>();
      written.set(where, there.set(by, [...(there.get(by) ?? []), body]));
    };
    for (let at = 0; at < messagesCount; at += 1) {
      const { owner, profile } = devices[draw(devices.length)] ?? { owner: ann, profile: ann.first };
      const peer = people[(people.indexOf(owner) + 1 + draw(2)) % people.length] ?? bob;
      const inGroup = draw(2) === 0;
      const conv: ConversationId = inGroup ? group : `d:${peer.userId}`;
      const body = `message ${at}`;
      await profile.engine.send(conv, { body });
      note(inGroup ? group : [owner.userId, peer.userId].sort().join(':'), profile, body);
      const unlucky = devices[draw(devices.length)]?.profile;
      const what = draw(60);
      if (what === 0) await unlucky?.restart();
      else if (what === 1) unlucky?.disconnect();
      else if (what < 6) for (const one of devices) if (!one.profile.online) one.profile.connect();
      if (unlucky && what === 6) unlucky.failWrites = 1;
      if (draw(3) === 0) await new Promise((resolve) => setTimeout(resolve, draw(12)));
    }
    for (const { profile } of devices) {
      profile.fate = () => 'arrives';
      profile.disconnect();
      profile.connect();
    }
    for (const [where, byWriter] of written) {
      const all = [...byWriter.values()].flat().sort();
      for (const { owner, profile } of devices) {
        if (where !== group && !where.includes(owner.userId)) continue;
        const other = where.split(':').find((id) => id !== owner.userId) ?? '';
        const conv: ConversationId = where === group ? group : `d:${other}`;
        await until(
          async () => (await texts(profile, conv)).length >= all.length,
          `${all.length} in ${conv}`,
          150,
        );
        const here = await texts(profile, conv);
        expect(here.toSorted()).toEqual(all);
        for (const bodies of byWriter.values())
          expect(here.filter((body) => bodies.includes(body))).toEqual(bodies);
        const { items } = await profile.engine.messages(conv, { limit: 200 });
        expect(items.filter((one) => one.content.t === 'undecryptable')).toEqual([]);
      }
    }
  },
  patienceMs,
);
