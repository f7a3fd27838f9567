/** What signaling does when it is killed, when core is silent, when consoles do not read, and under load. */
import { setTimeout as sleep } from 'node:timers/promises';
import { systemRandom } from '@siphera/runtime';
import { createTestCa, freePort, tempDir, waitFor } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { startFeedServer } from './testing/feed-server.ts';
import { metric, openConsole, startRig, type TestConsole } from './testing/rig.ts';

const seqs = (console: TestConsole): number[] => console.entries.map((entry) => entry.seq);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('signaling', () => {
  it('loses and doubles nothing over five kills under load', async () => {
    await using rig = await startRig();
    using first = openConsole(rig.url, { token: await rig.core.token(), after: 0 });
    using second = openConsole(rig.url, { token: await rig.core.token(), after: 0 });
    await waitFor('both', () => first.frames.length > 0 && second.frames.length > 0);
    const writer = setInterval(() => rig.core.append({}, {}, {}), 10);
    try {
      for (let kill = 0; kill < 5; kill += 1) {
        const before = first.entries.length;
        await waitFor('some entries', () => first.entries.length > before + 20);
        await rig.signaling.daemon.kill9();
        await rig.signaling.daemon.start();
        await waitFor('both to be back', () => first.socket.connected && second.socket.connected);
      }
    } finally {
      clearInterval(writer);
    }
    const last = rig.core.entries.length;
    await waitFor('the end of the feed', () => first.upto() === last && second.upto() === last);
    expect(seqs(first)).toEqual(upTo(last));
    expect(seqs(second)).toEqual(upTo(last));
    expect([...first.byes, ...second.byes]).toEqual([]);
  });

  it('keeps the order of a thousand entries a second to fifty consoles', async () => {
    await using rig = await startRig();
    const tokens = await Promise.all(Array.from({ length: 5 }, () => rig.core.token()));
    const consoles = Array.from({ length: 50 }, (_, index) =>
      openConsole(rig.url, { token: tokens[index % 5] ?? '', after: 0 }),
    );
    try {
      await waitFor('all to be in', () => consoles.every((console) => console.frames.length > 0));
      for (let round = 0; round < 300; round += 1) {
        rig.core.append(...Array.from({ length: 10 }, () => ({ data: { text: 'x'.repeat(200) } })));
        await sleep(10);
      }
      await waitFor('all to have all', () => consoles.every((console) => console.entries.length >= 3_000));
      for (const console of consoles) expect(seqs(console)).toEqual(upTo(3_000));
      expect(await metric(rig, 'siphera_signaling_fan_out_seconds_count')).toBeGreaterThan(0);
    } finally {
      for (const console of consoles) console.socket.disconnect();
    }
  });

  it('reads core once for many consoles that come back together', async () => {
    await using rig = await startRig();
    const token = await rig.core.token();
    const otherToken = await rig.core.token();
    rig.core.append(...Array.from({ length: 100 }, () => ({})));
    await waitFor('the feed', async () => (await metric(rig, 'siphera_signaling_feed_position ')) === 100);
    const before = rig.core.asked.length;
    const consoles = Array.from({ length: 30 }, (_, index) =>
      openConsole(rig.url, { token: index % 2 === 0 ? token : otherToken, after: 40 }),
    );
    try {
      await waitFor('all to have it', () => consoles.every((console) => console.entries.length === 60));
      expect(rig.core.asked.length - before).toBeLessThan(10);
    } finally {
      for (const console of consoles) console.socket.disconnect();
    }
  });

  it('cuts a console that does not read, and goes on with the others', async () => {
    await using rig = await startRig();
    using slow = openConsole(rig.url, { token: await rig.core.token() });
    using good = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('both', () => slow.frames.length > 0 && good.frames.length > 0);
    const transport = slow.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } };
    transport.ws._socket.pause();
    const text = 'x'.repeat(64 * 1024);
    for (let round = 0; round < 100; round += 1) {
      rig.core.append(...Array.from({ length: 8 }, () => ({ data: { text } })));
      await sleep(20);
      if ((await metric(rig, 'siphera_signaling_sockets_cut_total{reason="too_slow"}')) > 0) break;
    }
    await waitFor('the cut', async () => (await metric(rig, 'siphera_signaling_sockets ')) === 1);
    await waitFor('the other', () => good.upto() === rig.core.entries.length);
    expect(good.byes).toEqual([]);
  });

  it('keeps its consoles but takes no new ones while core is silent, and stops vouching for the feed', async () => {
    await using rig = await startRig();
    using old = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the first frame', () => old.frames.length > 0);
    await rig.core.close();
    const token = await rig.core.token();
    const refused = await waitFor('a refusal', async () => {
      using late = openConsole(rig.url, { token });
      await waitFor('an answer', () => late.socket.connected || late.refusals.length > 0);
      return late.refusals[0];
    });
    expect(refused).toBe('stale_feed');
    expect(old.socket.connected).toBe(true);
    const frames = old.frames.length;
    await sleep(1_500);
    expect(old.frames.length).toBe(frames);
  });

  it('starts without core, and takes consoles once core is there', async () => {
    await using rig = await startRig();
    await rig.signaling.daemon.stop();
    await rig.core.close();
    const starting = rig.signaling.daemon.start();
    await waitFor('its complaint', () => rig.signaling.daemon.logs().includes('core_away'));
    await using core = await startFeedServer(rig.coreAddress);
    await starting;
    using console = openConsole(rig.url, { token: await core.token() });
    await waitFor('the first frame', () => console.frames.length > 0);
  });

  it('sends every console to its lists when the feed of core went back, as after a restored backup', async () => {
    await using rig = await startRig();
    rig.core.append({}, {}, {});
    using console = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the position', () => console.upto() === 3);
    await rig.core.close();
    await using restored = await startFeedServer(rig.coreAddress);
    await waitFor('the goodbye', () => console.byes.length > 0);
    expect(console.byes).toEqual([{ reason: 'gap' }]);
    expect(restored.entries).toEqual([]);
  });

  it('says goodbye when it is stopped', async () => {
    await using rig = await startRig();
    using console = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the first frame', () => console.frames.length > 0);
    await rig.signaling.daemon.stop();
    await waitFor('the goodbye', () => console.byes.length > 0);
    expect(console.byes).toEqual([{ reason: 'shutting_down' }]);
  });

  it('limits the consoles of one user and of all', async () => {
    await using rig = await startRig({ env: { SOCKETS_PER_USER_MAX: '2', SOCKETS_MAX: '3' } });
    const token = await rig.core.token({ sub: systemRandom.uuid() });
    using one = openConsole(rig.url, { token });
    using two = openConsole(rig.url, { token });
    await waitFor('two', () => one.frames.length > 0 && two.frames.length > 0);
    using three = openConsole(rig.url, { token });
    await waitFor('the refusal', () => three.refusals.length > 0);
    expect(three.refusals[0]).toBe('rate_limited');
    three.socket.disconnect();
    await waitFor('its end', async () => (await metric(rig, 'siphera_signaling_sockets ')) === 2);
    using other = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the third', () => other.frames.length > 0);
    using fourth = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the refusal', () => fourth.refusals.length > 0);
    expect(fourth.frames).toEqual([]);
  });

  it('meets a core in another container by mutual TLS', async () => {
    await using dir = await tempDir('sig-tls');
    const ca = await createTestCa(dir.path);
    const core = await ca.issueServer('internal', 'core', ['localhost']);
    const own = await ca.issueClient('siphera-signaling');
    await using rig = await startRig({
      coreAddress: `localhost:${await freePort()}`,
      coreTls: core,
      env: {
        INTERNAL_CERT_FILE: own.certFile,
        INTERNAL_KEY_FILE: own.keyFile,
        INTERNAL_CA_FILE: own.caFile,
      },
    });
    using console = openConsole(rig.url, { token: await rig.core.token() });
    await waitFor('the first frame', () => console.frames.length > 0);
    rig.core.append({});
    await waitFor('the entry', () => seqs(console).length === 1);
  });

  it('tells core how it is', async () => {
    await using rig = await startRig();
    const beat = await waitFor('a beat', () => rig.core.heartbeats.find((item) => item.state === 'ok'));
    expect(beat).toMatchObject({ service: 'signaling', state: 'ok' });
  });
});
