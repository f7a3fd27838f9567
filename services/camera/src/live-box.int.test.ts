/** Watching on a whole box: real core, front door, camera, Janus. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { IncomingMessage } from 'node:http';
import {
  call,
  callRaw,
  freePorts,
  setupAdmin,
  startBox,
  startFakeCamera,
  startJanus,
  tempDir,
  waitFor,
  webRtcPlayer,
  withChromium,
  type Box,
  type FakeCamera,
  type Janus,
  type SetUp,
  type TempDir,
} from '@siphera/testkit';
import { systemClock } from '@siphera/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Notice } from './domain/live-boxes.ts';
import { BoxCutter } from './testing/box-cutter.ts';

const password = 'seven quiet otters dream';
let dir: TempDir;
let janus: Janus;
let camera: FakeCamera;
let box: Box;
let admin: SetUp;
let cameraId: string;

beforeAll(async () => {
  dir = await tempDir('live-box');
  const rtpPorts = await freePorts(12);
  janus = await startJanus({ dir: dir.path, rtpPorts });
  camera = await startFakeCamera();
  box = await startBox({
    services: ['camera'],
    frontDoor: { webDir: dir.path },
    env: {
      camera: {
        JANUS_URL: janus.url,
        JANUS_SECRET: janus.secret,
        RTP_PORTS: `${rtpPorts[0]}-${rtpPorts.at(-1)}`,
      },
    },
  });
  admin = await setupAdmin(box);
  const { items } = await call(box, 'listAreas', { token: admin.token });
  const made = await call(box, 'createCamera', {
    token: admin.token,
    body: {
      name: 'Gate',
      area_id: items[0]!.id,
      connection: 'rtsp',
      rtsp_urls: [
        camera.rtspUrl('main', { credentials: false }),
        camera.rtspUrl('sub', { credentials: false }),
      ],
      credentials: camera.credentials,
    },
  });
  cameraId = made.id;
  await waitFor('the recording', async () => {
    const { state } = await call(box, 'getCamera', { token: admin.token, params: { id: cameraId } });
    return state.recording === 'recording';
  });
});
afterAll(async () => {
  await box.stop();
  await camera.stop();
  await janus.stop();
  await dir.remove();
});

async function addGuard(name: string): Promise<{ id: string; token: string; session: string }> {
  const email = `${name}@example.org`;
  const user = await call(box, 'createUser', { token: admin.token, body: { name, email, password } });
  await call(box, 'createRoleBinding', {
    token: admin.token,
    body: {
      subject: { kind: 'user', id: user.id },
      role: 'guard',
      scope: { kind: 'org', id: admin.me.org.id },
    },
  });
  const signedIn = await call(box, 'login', { body: { email, password, device_name: 'Test' } });
  return { id: user.id, token: signedIn.access_token, session: signedIn.me.session_id };
}

/** As a browser gets it: over TLS through the front door. */
async function watch(path: string, token?: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port: box.frontDoor!.port,
        servername: box.hostName,
        ca: box.mosquitto.ca.caPem,
        path: `/api/v1${path}`,
        headers: { host: box.hostName, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      },
      resolve,
    )
      .on('error', reject)
      .end();
  });
  const seen = {
    status: response.statusCode,
    notices: [] as Notice[],
    fragments: 0,
    /** What the clock said at the first picture. */
    firstWallMs: 0,
    ended: false,
  };
  const cutter = new BoxCutter(({ type, bytes, content }) => {
    if (type === 'prft') seen.firstWallMs ||= (content.readUInt32BE(8) - 2_208_988_800) * 1_000;
    if (type === 'uuid') seen.notices.push(JSON.parse(bytes.subarray(24).toString()) as Notice);
    if (type === 'mdat') seen.fragments += 1;
  });
  response.on('data', (chunk: Buffer) => {
    if (response.statusCode === 200) cutter.push(chunk);
  });
  response.on('close', () => (seen.ended = true));
  return { seen, stop: () => response.destroy() };
}

describe('watching through the front door', () => {
  it('begins with the last key frame, and ends with the session', async () => {
    const guard = await addGuard('greta');
    const asked = systemClock.now();
    const { seen } = await watch(`/camera/cameras/${cameraId}/live`, guard.token);
    await waitFor('pictures', () => seen.fragments > 2);
    expect(seen.firstWallMs).toBeLessThan(asked);
    await call(box, 'revokeSession', { token: guard.token, params: { id: guard.session } });
    await waitFor('the end', () => seen.ended);
    expect(seen.notices.at(-1)).toMatchObject({ kind: 'end', code: 'session_ended' });
  });

  it('gives the sub-stream by WebRTC, whose relay starts for it', async () => {
    const guard = await addGuard('gustav');
    const offer = await call(box, 'offerWebRtc', {
      token: guard.token,
      params: { id: cameraId },
      body: { stream: 'sub' },
    });
    expect(offer.stream).toBe('sub');
    await withChromium({}, async ({ page }) => {
      await page.exposeFunction('answer', (sdp: string) =>
        call(box, 'answerWebRtc', { token: guard.token, params: { id: offer.session_id }, body: { sdp } }),
      );
      await page.evaluate(`(${webRtcPlayer})(${JSON.stringify({ sdp: offer.sdp })})`);
      await waitFor('pictures', () => page.evaluate<boolean>('rtc.frames > 10'));
      expect(await page.evaluate('rtc.video.videoWidth')).toBe(320);
      // The camera cuts the connection: the view waits, and goes on without being asked for again.
      await camera.dropRtsp();
      await page.evaluate('rtc.frames = 0');
      await new Promise((done) => setTimeout(done, 500));
      await page.evaluate('rtc.frames = 0');
      await waitFor('pictures again', () => page.evaluate<boolean>('rtc.frames > 20'));
    });
    await call(box, 'endWebRtc', { token: guard.token, params: { id: offer.session_id } });
  });

  it('stops a link, and what it shows, when its maker is disabled; its token is in no log', async () => {
    const guard = await addGuard('gerda');
    const link = await call(box, 'createCameraLink', {
      token: guard.token,
      body: { camera_id: cameraId, kind: 'live', name: 'For the neighbour' },
    });
    expect(link.url.startsWith(`${box.origin}/api/v1/camera/open/`)).toBe(true);
    const path = new URL(link.url).pathname.replace('/api/v1', '');
    const { seen } = await watch(path);
    await waitFor('pictures', () => seen.fragments > 1);
    await call(box, 'updateUser', { token: admin.token, params: { id: guard.id }, body: { active: false } });
    await waitFor('the end', () => seen.ended);
    expect((await watch(path)).seen.status).toBe(410);
    const token = path.split('/').at(-1)!;
    const log = await readFile(join(box.dir, 'nginx', 'access.log'), 'utf8');
    expect(log).toContain('/api/v1/camera/open/');
    expect(log).not.toContain(token);
    expect(box.camera!.daemon.logs()).not.toContain(token);
  });

  it('ends with a camera that is switched off, so that its ports show nobody another camera', async () => {
    const { token } = admin;
    const { seen } = await watch(`/camera/cameras/${cameraId}/live`, token);
    await waitFor('pictures', () => seen.fragments > 0);
    const offer = await call(box, 'offerWebRtc', { token, params: { id: cameraId }, body: {} });
    await call(box, 'updateCamera', { token, params: { id: cameraId }, body: { enabled: false } });
    await waitFor('the end', () => seen.ended);
    expect(seen.notices.at(-1)).toMatchObject({ kind: 'end', code: 'camera_off' });
    const late = await callRaw(box, 'answerWebRtc', {
      token,
      params: { id: offer.session_id },
      body: { sdp: offer.sdp },
    });
    expect(late.status).toBe(404);
    await call(box, 'updateCamera', { token, params: { id: cameraId }, body: { enabled: true } });
    const again = await watch(`/camera/cameras/${cameraId}/live`, token);
    await waitFor('pictures again', () => again.seen.fragments > 0);
    again.stop();
  });

  it('gives a snapshot of now by a link', async () => {
    const link = await call(box, 'createCameraLink', {
      token: admin.token,
      body: { camera_id: cameraId, kind: 'snapshot', name: 'Door sign' },
    });
    const token = link.url.split('/').at(-1)!;
    const shown = await callRaw(box, 'openCameraLink', { params: { token } });
    expect(shown.status).toBe(200);
  });
});
