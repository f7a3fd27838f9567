/** Signaling as a process, real socket.io consoles, and core's internal API on a unix socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { grant, orgScope } from './testing/feed-server.ts';
import { metric, openConsole, startRig, type Rig } from './testing/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

const seqs = (entries: readonly { seq: number }[]): number[] => entries.map((entry) => entry.seq);
const uuid = (): string => systemRandom.uuid();

describe('frames', () => {
  it('brings a new entry to a console that may see it, and says how far the console has been told', async () => {
    using console = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the first frame', () => console.frames.length > 0);
    const [entry] = rig.core.append({ data: { name: 'Loading dock door' } });
    await waitFor('the entry', () => console.entries.length === 1);
    expect(console.entries[0]).toEqual(entry);
    expect(console.upto()).toBe(entry?.seq);
  });

  it('sends a frame every second although nothing happens', async () => {
    using console = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('three beats', () => console.frames.length >= 3);
    expect(console.entries).toEqual([]);
  });

  it('shows nothing of a foreign scope or of another audience', async () => {
    const site = `site:${uuid()}`;
    using foreign = openConsole(rig.url, {
      token: await rig.core.token({ grants: [grant(`org:${uuid()}`, 'event.read', 'audit.read')] }),
    });
    using guard = openConsole(rig.url, {
      token: await rig.core.token({ grants: [grant(site, 'event.read')] }),
    });
    await waitFor('both', () => foreign.frames.length > 0 && guard.frames.length > 0);
    rig.core.append(
      { scopes: [orgScope, `site:${uuid()}`] },
      { scopes: [orgScope, site], audience: 'audit.read' },
    );
    const [seen] = rig.core.append({ scopes: [orgScope, site] });
    await waitFor('the guard to see its own', () => guard.entries.length > 0);
    await waitFor('the foreigner to be told as far', () => (foreign.upto() ?? 0) >= (seen?.seq ?? Infinity));
    expect(seqs(guard.entries)).toEqual([seen?.seq]);
    expect(foreign.entries).toEqual([]);
  });

  it('sends an entry once to a console that sees it by two of its grants', async () => {
    const site = `site:${uuid()}`;
    using console = openConsole(rig.url, {
      token: await rig.core.token({ grants: [grant(site, 'event.read'), grant(orgScope, 'event.read')] }),
    });
    await waitFor('the first frame', () => console.frames.length > 0);
    const [entry] = rig.core.append({ scopes: [orgScope, site] });
    const [last] = rig.core.append({});
    await waitFor('the last', () => (console.upto() ?? 0) >= (last?.seq ?? Infinity));
    expect(seqs(console.entries)).toEqual([entry?.seq, last?.seq]);
  });

  it('works over long polling too', async () => {
    using console = openConsole(rig.url, { token: await rig.core.token(), transports: ['polling'] });
    await waitFor('the first frame', () => console.frames.length > 0);
    const [entry] = rig.core.append({});
    await waitFor('the entry', () => seqs(console.entries).includes(entry?.seq ?? -1));
  });

  it('gives two hundred consoles of the same role one view', async () => {
    const tokens = await Promise.all(Array.from({ length: 20 }, () => rig.core.token()));
    const consoles = Array.from({ length: 200 }, (_, index) =>
      openConsole(rig.url, { token: tokens[index % tokens.length] ?? '' }),
    );
    try {
      await waitFor('all to be in', () => consoles.every((console) => console.frames.length > 0));
      await waitFor('one view', async () => (await metric(rig, 'siphera_signaling_views ')) === 1);
      const [entry] = rig.core.append({});
      await waitFor('all to have it', () =>
        consoles.every((console) => seqs(console.entries).includes(entry?.seq ?? -1)),
      );
    } finally {
      for (const console of consoles) console.socket.disconnect();
    }
  });
});

describe('resuming', () => {
  it('sends what came after the position of the console, once and in order', async () => {
    const after = rig.core.entries.length;
    rig.core.append(...Array.from({ length: 1_200 }, () => ({})));
    using console = openConsole(rig.url, { token: await rig.core.token(), after });
    rig.core.append({}, {});
    await waitFor('all', () => console.entries.length >= 1_202);
    expect(seqs(console.entries)).toEqual(Array.from({ length: 1_202 }, (_, index) => after + 1 + index));
  });

  it('takes a console that is ahead of it without repeating what it has', async () => {
    const after = rig.core.entries.length + 2;
    using console = openConsole(rig.url, { token: await rig.core.token(), after });
    await waitFor('the first frame', () => console.frames.length > 0);
    rig.core.append({}, {}, {});
    await waitFor('the third', () => console.entries.length > 0);
    const [next] = rig.core.append({});
    await waitFor('the next', () => seqs(console.entries).includes(next?.seq ?? -1));
    expect(seqs(console.entries)).toEqual([after + 1, after + 2]);
  });

  it('says gap to a console that is too far back', async () => {
    const after = rig.core.entries.length;
    for (let batch = 0; batch < 21; batch += 1) rig.core.append(...Array.from({ length: 1_000 }, () => ({})));
    await waitFor(
      'the feed',
      async () => (await metric(rig, 'siphera_signaling_feed_position ')) > after + 20_000,
    );
    using console = openConsole(rig.url, { token: await rig.core.token(), after });
    await waitFor('the goodbye', () => console.byes.length > 0);
    expect(console.byes).toEqual([{ reason: 'gap' }]);
  });

  it('says gap when core no longer holds what was missed', async () => {
    const after = rig.core.entries.length;
    rig.core.append({}, {});
    rig.core.forget(after + 1);
    using console = openConsole(rig.url, { token: await rig.core.token(), after });
    await waitFor('the goodbye', () => console.byes.length > 0);
    rig.core.forget(-1);
    expect(console.byes).toEqual([{ reason: 'gap' }]);
  });
});

describe('tokens', () => {
  it.each([
    ['no token', async () => Promise.resolve(''), 'unauthenticated'],
    ['a token signed by somebody else', () => rig.core.forgedToken(), 'unauthenticated'],
    ['an expired token', () => rig.core.token({ issuedAt: 1_700_000_000 }), 'session_expired'],
    ['a token longer than any', async () => Promise.resolve('x'.repeat(9_000)), 'validation_failed'],
  ])('refuses %s', async (_name, token, reason) => {
    using console = openConsole(rig.url, { token: await token() });
    await waitFor('the refusal', () => console.refusals.length > 0);
    expect(console.refusals[0]).toBe(reason);
  });

  it('refuses a page of another origin', async () => {
    using console = openConsole(rig.url, { token: await rig.core.token(), origin: 'https://evil.test' });
    await waitFor('the refusal', () => console.refusals.length > 0);
    expect(console.frames).toEqual([]);
    expect(await metric(rig, 'siphera_signaling_connections_refused_total{reason="origin"}')).toBeGreaterThan(
      0,
    );
  });

  it('cuts a session that was revoked, and lets nothing of what follows through', async () => {
    const sid = uuid();
    const token = await rig.core.token({ sid });
    using console = openConsole(rig.url, { token });
    using other = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('both', () => console.frames.length > 0 && other.frames.length > 0);
    rig.core.revoke({ sid });
    const [after] = rig.core.append({});
    await waitFor('the cut', () => console.byes.length > 0 && !console.socket.connected);
    await waitFor('the other to go on', () => seqs(other.entries).includes(after?.seq ?? -1));
    expect(console.byes).toEqual([{ reason: 'revoked' }]);
    expect(console.entries).toEqual([]);
    using again = openConsole(rig.url, { token });
    await waitFor('the refusal', () => again.refusals.length > 0);
    expect(again.refusals[0]).toBe('session_expired');
  });

  it('sends a user whose roles changed for a new token, which works', async () => {
    const sub = uuid();
    const before = systemClock.now();
    const old = await rig.core.token({ sub, issuedAt: before / 1_000 - 10 });
    using console = openConsole(rig.url, { token: old });
    await waitFor('the first frame', () => console.frames.length > 0);
    rig.core.revoke({ sub, issued_before: toRfc3339(before) });
    await waitFor('the cut', () => console.byes.length > 0);
    expect(console.byes).toEqual([{ reason: 'expired' }]);
    using again = openConsole(rig.url, { token: await rig.core.token({ sub }) });
    await waitFor('the first frame', () => again.frames.length > 0);
  });

  it('cuts a socket whose token runs out, and keeps one that renewed it', async () => {
    const sub = uuid();
    const short = { sub, lifeSeconds: 10, issuedAt: Math.floor(systemClock.now() / 1_000) };
    using forgetful = openConsole(rig.url, { token: await rig.core.token(short) });
    using careful = openConsole(rig.url, { token: await rig.core.token(short) });
    await waitFor('both', () => forgetful.frames.length > 0 && careful.frames.length > 0);
    const fresh = await rig.core.token({ sub });
    await waitFor('the renewal', async () => (await renew(careful, fresh)).ok);
    await waitFor('the cut', () => forgetful.byes.length > 0);
    expect(forgetful.byes).toEqual([{ reason: 'expired' }]);
    expect(careful.socket.connected).toBe(true);
  });

  it('moves a socket that renews with other grants, without a gap', async () => {
    const sub = uuid();
    const site = `site:${uuid()}`;
    const narrow = await rig.core.token({ sub, grants: [grant(site, 'event.read')] });
    using console = openConsole(rig.url, { token: narrow });
    await waitFor('the first frame', () => console.frames.length > 0);
    const [inside] = rig.core.append({ scopes: [site] });
    await waitFor('its own entry', () => console.entries.length === 1);
    const wide = await rig.core.token({ sub, grants: [grant(orgScope, 'event.read')] });
    await waitFor('the renewal', async () => (await renew(console, wide)).ok);
    const made = rig.core.append({ scopes: [site] }, { scopes: [orgScope] });
    await waitFor('the wider entry', () => seqs(console.entries).includes(made[1]?.seq ?? -1));
    expect(seqs(console.entries)).toEqual([inside?.seq, made[1]?.seq]);
  });

  it('does not renew with the token of another user, or with garbage', async () => {
    using console = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the first frame', () => console.frames.length > 0);
    const foreign = await rig.core.token();
    await waitFor('the refusal', async () => (await renew(console, foreign)).reason === 'forbidden');
    expect((await renew(console, { $ne: '' } as unknown as string)).reason).toBe('validation_failed');
    expect(console.socket.connected).toBe(true);
  });
});

const renew = (
  console: ReturnType<typeof openConsole>,
  token: string,
): Promise<{ ok: boolean; reason?: string }> => console.socket.timeout(30_000).emitWithAck('renew', token);
