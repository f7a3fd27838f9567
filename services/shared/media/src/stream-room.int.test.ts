import { spawn, type ChildProcess } from 'node:child_process';
import { createLogger, systemClock, systemRandom } from '@siphera/runtime';
import {
  freePort,
  startJanus,
  tempDir,
  waitFor,
  withChromium,
  type Janus,
  type TempDir,
} from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JanusLink } from './janus-link.ts';
import { StreamRooms, type RtpSource, type Viewer } from './stream-room.ts';

let dir: TempDir;
let janus: Janus;
let source: RtpSource & { audio: { port: number; codec: 'pcmu' } };
let ffmpeg: ChildProcess;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  dir = await tempDir('janus');
  source = { videoPort: await freePort(), audio: { port: await freePort(), codec: 'pcmu' } };
  janus = await startJanus({ dir: dir.path, rtpPorts: [source.videoPort, source.audio.port] });
  ffmpeg = feed(source);
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(async () => {
  ffmpeg.kill('SIGKILL');
  await janus.stop();
  await dir.remove();
});

/** High profile, as cameras send it, with a key frame each second. */
function feed({ videoPort, audio }: typeof source): ChildProcess {
  return spawn(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-re', '-f', 'lavfi', '-i', 'testsrc=size=640x360:rate=25'],
      ...['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000'],
      ...[
        '-map',
        '0:v',
        '-c:v',
        'libx264',
        '-preset',
        'superfast',
        '-profile:v',
        'high',
        '-pix_fmt',
        'yuv420p',
      ],
      ...['-tune', 'zerolatency', '-g', '25', '-threads', '1', '-bsf:v', 'dump_extra=freq=keyframe'],
      ...['-f', 'rtp', '-payload_type', '96', `rtp://127.0.0.1:${videoPort}?pkt_size=1200`],
      ...['-map', '1:a', '-c:a', 'pcm_mulaw', '-f', 'rtp', `rtp://127.0.0.1:${audio.port}?pkt_size=1200`],
    ],
    { stdio: 'ignore' },
  );
}

function rooms(
  secret = janus.secret,
  viewersMax = 3,
): { link: JanusLink; rooms: StreamRooms; log: string[] } {
  const lines: string[] = [];
  const log = createLogger({ service: 'camera', destination: { write: (line) => void lines.push(line) } });
  const link = new JanusLink({ url: janus.url, secret, clock: systemClock, log, random: systemRandom });
  const made = new StreamRooms({ link, log, viewersMax });
  link.start();
  ends.push(() => link.stop());
  return { link, rooms: made, log: lines };
}

/** Answers as a page does, and waits for decoded pictures. */
const play = `async ({ sdp }) => {
  const peer = new RTCPeerConnection();
  globalThis.peer = peer;
  const video = document.createElement('video');
  video.muted = true; video.autoplay = true;
  document.body.append(video);
  peer.addEventListener('track', ({ streams }) => { video.srcObject = streams[0]; });
  await peer.setRemoteDescription({ type: 'offer', sdp });
  await peer.setLocalDescription(await peer.createAnswer());
  if (peer.iceGatheringState !== 'complete')
    await new Promise((done) => peer.addEventListener('icegatheringstatechange', () => peer.iceGatheringState === 'complete' && done()));
  await answer(peer.localDescription.sdp);
  for (let tries = 0; tries < 600; tries += 1) {
    const stats = [...(await peer.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    const picture = stats.find(({ kind }) => kind === 'video');
    const sound = stats.find(({ kind }) => kind === 'audio');
    if ((picture?.framesDecoded ?? 0) >= 20 && (sound?.packetsReceived ?? 0) > 10)
      return { frames: picture.framesDecoded, width: video.videoWidth, height: video.videoHeight };
    await new Promise((done) => setTimeout(done, 100));
  }
  return { state: peer.connectionState, frames: 0 };
}`;

describe('a mountpoint', () => {
  it('shows a High profile picture with sound in Chromium, and goes with its last viewer', async () => {
    const { link, rooms: made } = rooms();
    await waitFor('Janus', () => link.isUp());
    let up = false;
    const viewer = await made.watch('lobby', source, { up: () => (up = true), end: () => undefined });
    expect(viewer.sdp).toContain('profile-level-id=42e01f');
    const seen = await withChromium({}, async ({ page }) => {
      await page.exposeFunction('answer', (sdp: string) => viewer.answer(sdp));
      const answer = JSON.stringify({ sdp: viewer.sdp });
      return page.evaluate<unknown>(`(${play})(${answer})`);
    });
    expect(seen).toMatchObject({ width: 640, height: 360 });
    expect(up).toBe(true);
    expect(made).toMatchObject({ viewers: 1, mountpoints: 1 });
    viewer.hangUp();
    expect(made.viewers).toBe(0);
    await waitFor('the mountpoint to go', () => made.mountpoints === 0);
    // The port is free again: another mountpoint takes it.
    (await made.watch('lobby', source, { end: () => undefined })).hangUp();
  });

  it('is shared by viewers up to the bound; a page that closes ends its view', async () => {
    const { link, rooms: made } = rooms(janus.secret, 2);
    await waitFor('Janus', () => link.isUp());
    const why: string[] = [];
    const first = await made.watch('gate', source, { end: (text) => why.push(text) });
    await made.watch('gate', source, { end: () => undefined });
    expect(made).toMatchObject({ viewers: 2, mountpoints: 1 });
    await expect(made.watch('gate', source, { end: () => undefined })).rejects.toThrow(
      /the most there may be/,
    );
    await withChromium({}, async ({ page }) => {
      await page.exposeFunction('answer', (sdp: string) => first.answer(sdp));
      await page.evaluate(`(${play})(${JSON.stringify({ sdp: first.sdp })})`);
      await page.evaluate('peer.close()');
      await waitFor('the view to end', () => why.length > 0);
    });
    expect(made.viewers).toBe(1);
  });

  it('is made anew when the stream moves to other ports', async () => {
    const { link, rooms: made } = rooms();
    await waitFor('Janus', () => link.isUp());
    const why: string[] = [];
    await made.watch('yard', { videoPort: await freePort() }, { end: (text) => why.push(text) });
    await made.watch('yard', source, { end: () => undefined });
    expect(why).toEqual(['The stream changed.']);
    expect(made).toMatchObject({ viewers: 1, mountpoints: 1 });
  });

  it('refuses an answer that is none, and hangs up twice without harm', async () => {
    const { link, rooms: made } = rooms();
    await waitFor('Janus', () => link.isUp());
    const viewer: Viewer = await made.watch('hall', source, { end: () => undefined });
    await expect(viewer.answer('v=0\r\nnonsense')).rejects.toMatchObject({ code: 'unavailable' });
    viewer.hangUp();
    viewer.hangUp();
    await expect(viewer.answer('v=0')).rejects.toMatchObject({ code: 'gone' });
    expect(made.viewers).toBe(0);
  });
});

describe('a restart of Janus', () => {
  it('ends the views with a reason, and the next ones begin by themselves', async () => {
    const { link, rooms: made } = rooms();
    await waitFor('Janus', () => link.isUp());
    const why: string[] = [];
    await made.watch('lobby', source, { end: (text) => why.push(text) });
    await janus.daemon.kill9();
    await waitFor('the end', () => why.length === 1);
    expect(made).toMatchObject({ viewers: 0, mountpoints: 0 });
    await expect(made.watch('lobby', source, { end: () => undefined })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await janus.daemon.start();
    await waitFor('Janus', () => link.isUp());
    const viewer = await made.watch('lobby', source, { end: () => undefined });
    expect(viewer.sdp).toContain('m=video');
  });

  it('does not leave mountpoints of an earlier life: the ports are free at once', async () => {
    const before = rooms();
    await waitFor('Janus', () => before.link.isUp());
    await before.rooms.watch('lobby', source, { end: () => undefined });
    before.link.stop();
    const after = rooms();
    await waitFor('Janus', () => after.link.isUp());
    await after.rooms.watch('lobby', source, { end: () => undefined });
    expect(after.rooms.viewers).toBe(1);
  });

  it('is noticed when Janus only falls silent', async () => {
    const { link, rooms: made } = rooms();
    await waitFor('Janus', () => link.isUp());
    const why: string[] = [];
    await made.watch('lobby', source, { end: (text) => why.push(text) });
    janus.daemon.freeze();
    try {
      await waitFor('the end', () => why.length === 1);
    } finally {
      janus.daemon.thaw();
    }
  });
});

it('says once that it is not let in, and never what the secret is', async () => {
  const { link, rooms: made, log } = rooms('wrong-secret-wrong-secret');
  await waitFor('the refusal', () => log.some((line) => line.includes('janus_away')));
  await new Promise((done) => setTimeout(done, 1_000));
  expect(link.isUp()).toBe(false);
  expect(log.filter((line) => line.includes('janus_away'))).toHaveLength(1);
  expect(log.join('')).not.toContain('wrong-secret');
  await expect(made.watch('lobby', source, { end: () => undefined })).rejects.toThrow(/not running/);
});
