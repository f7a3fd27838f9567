/**
 * Talk: from a guard's "send" to the other guard's device, with encryption, the box and decryption in between, while many are connected; what a
 * drop of half a minute costs; how long until a phone rings. Real core, real signaling, real keys; engines and box share the machine.
 */
import { randomUUID } from 'node:crypto';
import { call, openConsole, setupAdmin, startBox, waitFor, type Box, type Console } from '@siphera/testkit';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';

/** What is used of an engine. Its sources are typed for browsers, which these tasks are not, so they are not read for their types. */
type Change = { what: string; ids?: string[]; content?: { call_id: string } };
type Engine = {
  begin(options: { name: string; kind: 'personal' }): Promise<unknown>;
  subscribe(hear: (change: Change) => void): () => void;
  send(conversation: string, draft: { body: string }): Promise<string>;
  sendCall(userId: string, deviceId: string | null, content: Record<string, unknown>): Promise<void>;
  createGroup(options: { name: string; memberIds: string[] }): Promise<string>;
  messages(
    conversation: string,
    options: { limit: number },
  ): Promise<{ items: { id: string; content: { t: string; body?: string } }[] }>;
};
type BoxProfile = {
  engine: Engine;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  stop(): Promise<void>;
};
const engines: string = '@siphera/talk/testing';

async function openEngine(box: Box, token: string): Promise<BoxProfile> {
  const { BoxProfile: profile } = (await import(engines)) as {
    BoxProfile: { start(at: Box, as: string): Promise<BoxProfile> };
  };
  return profile.start(box, token);
}

/** Guards with a device whose queue is open; each costs a login (Argon2) at the start. */
const guards = 60;
/** Consoles that only look, so that 500 are connected altogether. */
const lookers = 440;
const perSession = 18;
const messagesASecond = 20;
const roomMembers = 20;
const roomMessages = 200;
const dropMs = 30_000;
const dropMessages = 200;
const rings = 40;
const password = 'a long enough passphrase 42';

type Crowd = { people: { id: string; profile: BoxProfile }[]; consoles: Console[] };

export async function benchTalk({ seconds, progress }: BenchOptions): Promise<BenchRow[]> {
  await using box = await startBox({ services: ['signaling'], env: { signaling: { LOG_LEVEL: 'warn' } } });
  const setUp = await setupAdmin(box);
  progress(`${guards} guards sign in, ${guards + lookers} sockets connect`);
  const crowd = await gather(box, setUp.token, setUp.me.org.id);
  try {
    const [ann, bob] = crowd.people as [Crowd['people'][number], Crowd['people'][number]];
    progress(`direct messages for ${seconds} s`);
    const direct = await directMessages(ann, bob, seconds);
    progress(`${roomMessages} messages to a room of ${roomMembers}`);
    const room = await roomMessagesOf(crowd.people.slice(0, roomMembers));
    progress(`${rings} calls`);
    const ring = await ringing(ann, bob);
    progress(`a drop of ${dropMs / 1_000} s`);
    const drop = await afterDrop(ann, bob);
    const connected = `${guards + lookers} connected`;
    return [
      row(`chat, send → other device, ${connected}: p50`, quantile(direct, 0.5), 'ms', 25),
      row(`chat, send → other device, ${connected}: p99`, quantile(direct, 0.99), 'ms', 100),
      row(`room of ${roomMembers}, send → last member: p50`, quantile(room, 0.5), 'ms'),
      row(`room of ${roomMembers}, send → last member: p99`, quantile(room, 0.99), 'ms'),
      row(`ring, call → the callee's device: p95`, quantile(ring, 0.95), 'ms', 2_000),
      row(`lost, doubled or unreadable after a drop of ${dropMs / 1_000} s`, drop.wrong, 'messages', 0),
      row(`all ${dropMessages} messages of the drop there, after the line is back`, drop.ms, 'ms'),
    ];
  } finally {
    for (const console of crowd.consoles) await console.close();
    for (const { profile } of crowd.people) await profile.stop();
  }
}

const row = (what: string, ours: number, unit: string, target?: number): BenchRow => ({
  what,
  ours,
  unit,
  better: 'less',
  ...(target === undefined ? {} : { target: { ours: target } }),
});

async function gather(box: Box, admin: string, org: string): Promise<Crowd> {
  const people: Crowd['people'] = [];
  const consoles: Console[] = [];
  for (let count = 0; count < guards; count += 1) {
    const email = `${randomUUID()}@example.org`;
    const { id } = await call(box, 'createUser', {
      token: admin,
      body: { name: `Guard ${count}`, email, password },
    });
    await call(box, 'createRoleBinding', {
      token: admin,
      body: { subject: { kind: 'user', id }, role: 'guard', scope: { kind: 'org', id: org } },
    });
    const { access_token: token } = await call(box, 'login', {
      body: { email, password, device_name: 'Bench' },
    });
    const profile = await waitFor('signaling to know the guard', () =>
      openEngine(box, token).catch(() => undefined),
    );
    await waitFor('talk to know the guard', () =>
      profile.engine.begin({ name: 'Bench', kind: 'personal' }).catch(() => undefined),
    );
    people.push({ id, profile });
    while (consoles.length < lookers && consoles.length < (count + 1) * perSession)
      consoles.push(await openConsole(box, token));
  }
  return { people, consoles };
}

/** When each message (or call) came to this person, by its id. */
function hear(profile: BoxProfile): { at: Map<string, number>; stop: () => void } {
  const at = new Map<string, number>();
  const stop = profile.engine.subscribe((change) => {
    const ids = change.ids ?? (change.content ? [change.content.call_id] : []);
    for (const id of ids) if (!at.has(id)) at.set(id, performance.now());
  });
  return { at, stop };
}

async function directMessages(ann: Crowd['people'][number], bob: Crowd['people'][number], seconds: number) {
  const heard = hear(bob.profile);
  const sent = new Map<string, number>();
  const total = seconds * messagesASecond;
  for (let count = 0; count < total; count += 1) {
    const started = performance.now();
    sent.set(await ann.profile.engine.send(`d:${bob.id}`, { body: `message ${count}` }), started);
    const restMs = 1_000 / messagesASecond - (performance.now() - started);
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
  }
  await waitFor('all of them', () => [...sent.keys()].every((id) => heard.at.has(id)), 60_000);
  heard.stop();
  return [...sent].map(([id, at]) => (heard.at.get(id) ?? Infinity) - at).sort((a, b) => a - b);
}

async function roomMessagesOf(people: Crowd['people']): Promise<number[]> {
  const [first, ...others] = people as [Crowd['people'][number], ...Crowd['people']];
  const room = await first.profile.engine.createGroup({
    name: 'Bench',
    memberIds: others.map(({ id }) => id),
  });
  const ears = others.map(({ profile }) => hear(profile));
  const taken: number[] = [];
  for (let count = 0; count < roomMessages; count += 1) {
    const started = performance.now();
    const id = await first.profile.engine.send(room, { body: `message ${count}` });
    await waitFor('everybody', () => ears.every(({ at }) => at.has(id)), 30_000);
    taken.push(Math.max(...ears.map(({ at }) => at.get(id) ?? 0)) - started);
  }
  for (const ear of ears) ear.stop();
  return taken.sort((a, b) => a - b);
}

async function ringing(ann: Crowd['people'][number], bob: Crowd['people'][number]): Promise<number[]> {
  const heard = hear(bob.profile);
  const taken: number[] = [];
  for (let count = 0; count < rings; count += 1) {
    const callId = randomUUID();
    const started = performance.now();
    await ann.profile.engine.sendCall(bob.id, null, {
      t: 'call',
      act: 'invite',
      call_id: callId,
      media: 'voice',
      sdp: 'v=0\r\n'.repeat(400),
      lifetime_ms: 45_000,
    });
    await waitFor('the ring', () => heard.at.has(callId), 30_000);
    taken.push((heard.at.get(callId) ?? Infinity) - started);
  }
  heard.stop();
  return taken.sort((a, b) => a - b);
}

async function afterDrop(ann: Crowd['people'][number], bob: Crowd['people'][number]) {
  const sent: string[] = [];
  await bob.profile.disconnect();
  const began = performance.now();
  for (let count = 0; count < dropMessages; count += 1)
    sent.push(await ann.profile.engine.send(`d:${bob.id}`, { body: `while away ${count}` }));
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, dropMs - (performance.now() - began))));
  const heard = hear(bob.profile);
  const back = performance.now();
  await bob.profile.connect();
  await waitFor('all of them', () => sent.every((id) => heard.at.has(id)), 60_000);
  heard.stop();
  const { items } = await bob.profile.engine.messages(`d:${ann.id}`, { limit: dropMessages });
  const bodies = items.flatMap(({ id, content }) =>
    sent.includes(id) && content.t === 'text' ? [content.body] : [],
  );
  const wrong = sent.length - new Set(bodies).size + (bodies.length - new Set(bodies).size);
  return { wrong, ms: Math.max(...sent.map((id) => heard.at.get(id) ?? Infinity)) - back };
}
