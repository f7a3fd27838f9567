/**
 * Live pictures: how long until the first one, and how far behind they are, read off a clock in the picture in Chromium.
 * Real camera service, real Janus; camera and browser read the same machine's clock.
 */
import {
  type Box,
  call,
  type FakeCamera,
  freePort,
  type Janus,
  msePlayer,
  setupAdmin,
  startBox,
  startFakeCamera,
  startJanus,
  tempDir,
  waitFor,
  webRtcPlayer,
  withChromium,
} from '@siphera/testkit';
import type { Page } from 'playwright-core';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';

/** Pages opened one after another, as a guard opens tiles. */
const opens = 20;
/** Two pairs for each of the camera's streams, and room. */
const rtpPortCount = 20;
const firstFrameMs = 500;
const glassMs = 250;

/** In the page: the milliseconds since each picture was drawn, from the moment it is shown. */
const watchClock = `(player, samples) => {
  const canvas = new OffscreenCanvas(256, 4);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  player.onFrame = () => {
    const { video } = player;
    const band = video.videoHeight / 18;
    context.drawImage(video, 0, band * 0.25, video.videoWidth, band * 0.5, 0, 0, 256, 4);
    const { data } = context.getImageData(0, 2, 256, 1);
    const bits = Array.from({ length: 64 }, (_, cell) => (data[(cell * 4 + 2) * 4] > 128 ? '1' : '0')).join('');
    if (!bits.startsWith('1010') || !bits.endsWith('0101')) return;
    samples.push(Date.now() - Number.parseInt(bits.slice(4, 52), 2));
  };
}`;

type Place = { box: Box; camera: FakeCamera; cameraId: string; token: string; page: Page };

export async function benchLive({ seconds, progress }: BenchOptions): Promise<BenchRow[]> {
  await using dir = await tempDir('bench-live');
  const first = await freePort();
  const rtpPorts = Array.from({ length: rtpPortCount }, (_, index) => first + index);
  await using janus: Janus = await startJanus({ dir: dir.path, rtpPorts });
  await using camera = await startFakeCamera({ sub: false, main: { gopSeconds: 2 } });
  await using box = await startBox({
    services: ['camera'],
    env: {
      core: { LOG_LEVEL: 'warn' },
      camera: {
        LOG_LEVEL: 'warn',
        JANUS_URL: janus.url,
        JANUS_SECRET: janus.secret,
        RTP_PORTS: `${first}-${first + rtpPortCount - 1}`,
      },
    },
  });
  const { token } = await setupAdmin(box);
  const cameraId = await addCamera(box, token, camera);
  return await withChromium({}, async ({ page }) => {
    await page.goto(`${box.baseUrl('camera')}/api/v1/none`);
    const place: Place = { box, camera, cameraId, token, page };
    progress(`${opens} pictures opened by HTTP`);
    const opened = await firstFrames(place);
    progress(`clock read over HTTP for ${seconds} s`);
    const http = await glass(place, seconds, openHttp);
    progress(`clock read over WebRTC for ${seconds} s`);
    const webRtc = await glass(place, seconds, openWebRtc);
    return [
      row('first picture by HTTP: p50', opened.values, 0.5),
      row('first picture by HTTP: p95', opened.values, 0.95, firstFrameMs),
      row('glass to glass by HTTP: p50', http, 0.5),
      row('glass to glass by HTTP: p95', http, 0.95),
      row('glass to glass by WebRTC: p50', webRtc, 0.5),
      row('glass to glass by WebRTC: p95', webRtc, 0.95, glassMs),
      { what: 'pictures read over WebRTC', ours: webRtc.length, unit: '', better: 'more' },
    ];
  });
}

function row(what: string, samples: readonly number[], part: number, target?: number): BenchRow {
  return {
    what: `live, 640×360 at 25/s: ${what}`,
    ours: quantile(samples, part),
    unit: 'ms',
    better: 'less',
    ...(target === undefined ? {} : { target: { ours: target } }),
  };
}

async function addCamera(box: Box, token: string, camera: FakeCamera): Promise<string> {
  const areas = await call(box, 'listAreas', { token });
  const { id } = await call(box, 'createCamera', {
    token,
    body: {
      name: 'Clock',
      area_id: areas.items[0]?.id ?? '',
      connection: 'rtsp',
      rtsp_urls: [camera.rtspUrl('main', { credentials: false })],
      credentials: camera.credentials,
    },
  });
  await waitFor('the camera to be recorded', async () => {
    const { state } = await call(box, 'getCamera', { token, params: { id } });
    return state.recording === 'recording';
  });
  return id;
}

const liveUrl = ({ box, cameraId }: Place): string =>
  `${box.baseUrl('camera')}/api/v1/camera/cameras/${cameraId}/live`;

async function openHttp(place: Place): Promise<void> {
  const input = JSON.stringify({ url: liveUrl(place), token: place.token });
  await place.page.evaluate(`(${msePlayer})(${input}).then(() => { globalThis.player = live; })`);
}

async function openWebRtc({ box, cameraId, token, page }: Place): Promise<void> {
  const offer = await call(box, 'offerWebRtc', { token, params: { id: cameraId }, body: { stream: 'main' } });
  const params = { id: offer.session_id };
  await page.exposeFunction('answer', (sdp: string) =>
    call(box, 'answerWebRtc', { token, params, body: { sdp } }),
  );
  const input = JSON.stringify({ sdp: offer.sdp });
  await page.evaluate(`(${webRtcPlayer})(${input}).then(() => { globalThis.player = rtc; })`);
}

/** Milliseconds from asking to the first picture shown, sorted. */
async function firstFrames(place: Place): Promise<{ values: number[] }> {
  const values: number[] = [];
  for (let index = 0; index < opens; index += 1) {
    await place.page.reload();
    await openHttp(place);
    const shown = await waitFor('the first picture', () =>
      place.page.evaluate<number | undefined>('player.firstFrameMs'),
    );
    values.push(shown);
    // Not always at the same place of a group of pictures.
    await place.page.waitForTimeout(137);
  }
  return { values: values.sort((a, b) => a - b) };
}

/** Milliseconds from the drawing of a picture to its showing, sorted; from two seconds after the beginning on. */
async function glass(
  place: Place,
  seconds: number,
  open: (place: Place) => Promise<void>,
): Promise<number[]> {
  const { page } = place;
  await page.reload();
  await open(place);
  await waitFor('pictures', () => page.evaluate<boolean>('player.frames > 25'));
  await page.waitForTimeout(2_000);
  await page.evaluate(`globalThis.samples = []; (${watchClock})(player, samples)`);
  await page.waitForTimeout(seconds * 1_000);
  const samples = await page.evaluate<number[]>('samples');
  return samples.sort((a, b) => a - b);
}
