import {
  freePort,
  msePlayer,
  startJanus,
  tempDir,
  webRtcPlayer,
  withChromium,
  type Janus,
  type TempDir,
} from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LiveReader, liveGrants, startLiveRig, type LiveRig } from './testing/live-rig.ts';
import { testOrg, until } from './testing/rig.ts';

let dir: TempDir;
let janus: Janus;
let rtpPort: number;
let rig: LiveRig | undefined;

beforeAll(async () => {
  dir = await tempDir('live');
  rtpPort = await freePort();
  janus = await startJanus({ dir: dir.path, rtpPorts: [rtpPort] });
});
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
});
afterAll(async () => {
  await janus.stop();
  await dir.remove();
});

const start = async (env: Record<string, string> = {}): Promise<LiveRig> => {
  rig = await startLiveRig({ env: { JANUS_URL: janus.url, JANUS_SECRET: janus.secret, ...env } });
  return rig;
};

type Live = {
  frames: number;
  errors: string[];
  notices: { kind: string }[];
  wall: { wall: number; ticks: number }[];
  sizes: number[];
  ranges: number;
};

describe('MSE in Chromium', () => {
  it('plays from the first bytes, over a camera that comes back larger, with the boxes it does not know', async () => {
    const live = await start();
    const { id, main } = await live.watched();
    await live.streams.connect(main, { width: 320, height: 180, audio: true });
    const url = `${live.url}/api/v1/camera/cameras/${id}/live`;
    const seen = await withChromium({}, async ({ page }) => {
      // Same origin as the service, as behind the front door.
      await page.goto(`${live.url}/api/v1/none`);
      const asked = Date.now();
      await page.evaluate(`(${msePlayer})(${JSON.stringify({ url, token: live.token(liveGrants) })})`);
      const state = (): Promise<Live> => page.evaluate<Live>('({ ...live, video: undefined })');
      await until(async () => (await state()).frames > 25);
      // Of before it was asked for: it did not wait for the next key frame.
      expect((await state()).wall[0]!.wall).toBeLessThan(asked);
      await live.streams.disconnect(main);
      await live.streams.connect(main, { width: 640, height: 360, audio: true });
      await until(async () => (await state()).sizes.includes(640));
      const before = (await state()).frames;
      await until(async () => (await state()).frames > before + 25);
      return state();
    });
    expect(seen.errors).toEqual([]);
    expect(seen.notices.map(({ kind }) => kind)).toEqual(['init', 'lost', 'init']);
    expect(seen.ranges).toBe(1);
    expect(seen.sizes).toEqual([320, 640]);
    expect(Math.abs(seen.wall.at(-1)!.wall - Date.now())).toBeLessThan(60_000);
  });
});

describe('WebRTC', () => {
  it('plays what the box offers, for the session that asked for it, and ends with the session', async () => {
    const live = await start();
    const { id, main } = await live.watched();
    await live.streams.connect(main, { width: 320, height: 180, rtpPort });
    const offer = await until(async () => {
      const answer = await live.rest('POST', `/camera/cameras/${id}/webrtc`, { stream: 'main' }, liveGrants);
      return answer.status === 201
        ? (answer.body as { session_id: string; sdp: string; stream: string })
        : undefined;
    });
    expect(offer.stream).toBe('main');
    const session = offer.session_id;
    const answers: number[] = [];
    await withChromium({}, async ({ page }) => {
      await page.exposeFunction('answer', async (sdp: string) => {
        const taken = await live.rest('POST', `/camera/webrtc/${session}/answer`, { sdp }, liveGrants);
        answers.push(taken.status);
      });
      await page.evaluate(`(${webRtcPlayer})(${JSON.stringify({ sdp: offer.sdp })})`);
      await until(async () => (await page.evaluate<number>('rtc.frames')) > 20);
      expect(answers).toEqual([204]);
      live.core.tell({
        kind: 'revocation',
        action: 'created',
        id: 'x',
        audience: 'identity.manage',
        scopes: [`org:${testOrg}`],
        data: {
          sid: '0192f000-0000-7000-8000-00000000000b',
          reason: 'signed out',
          expires_at: new Date(Date.now() + 300_000).toISOString(),
        },
      });
      await until(async () => {
        const frames = await page.evaluate<number>('rtc.frames');
        await new Promise((done) => setTimeout(done, 500));
        return (await page.evaluate<number>('rtc.frames')) === frames;
      });
    });
    expect(live.streams.listeners(main)).toBe(0);
  });

  it('is refused with a hint for H.265, without Janus, and for a session that is none of the caller’s', async () => {
    const live = await start();
    const { id, main } = await live.watched();
    await live.streams.connect(main, { codec: 'h265', width: 320, height: 180, rtpPort });
    const hevc = await live.rest('POST', `/camera/cameras/${id}/webrtc`, {}, liveGrants);
    expect(hevc).toMatchObject({
      status: 503,
      body: { code: 'unavailable', hint: 'The picture goes on as fMP4.' },
    });
    expect(live.streams.listeners(main)).toBe(0);
    const none = await live.rest(
      'DELETE',
      '/camera/webrtc/0192f000-0000-7000-8000-0000000000ff',
      undefined,
      liveGrants,
    );
    expect(none).toMatchObject({ status: 404 });
    await live.stop();
    const bare = await startLiveRig();
    rig = bare;
    const other = await bare.watched();
    const away = await bare.rest('POST', `/camera/cameras/${other.id}/webrtc`, {}, liveGrants);
    expect(away).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });

  it('goes on as fMP4 while Janus is away, and by WebRTC again when it is back', async () => {
    const live = await start();
    const { id, main } = await live.watched();
    await live.streams.connect(main, { width: 320, height: 180, rtpPort });
    const offer = (): Promise<{ status: number; body: unknown }> =>
      live.rest('POST', `/camera/cameras/${id}/webrtc`, {}, liveGrants);
    await until(async () => (await offer()).status === 201);
    await janus.daemon.kill9();
    await until(async () => (await offer()).status === 503);
    expect((await offer()).body).toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('fMP4'),
    });
    const reader = new LiveReader(
      await live.fetch('GET', `/camera/cameras/${id}/live`, undefined, liveGrants),
    );
    await until(() => reader.count('mdat') > 0);
    await janus.daemon.start();
    await until(async () => (await offer()).status === 201);
  });
});
