/** ONVIF against fake cameras with the habits of real ones. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@siphera/runtime';
import { startFakeCamera, type FakeCamera, type FakeCameraOptions } from '@siphera/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { onvifEndpoint } from '../../domain/address.ts';
import { chooseStreams } from '../../domain/onvif/choose-streams.ts';
import { CameraNetwork } from '../camera-network.ts';
import { OnvifCamera } from './onvif-camera.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
});

async function fake(options: FakeCameraOptions): Promise<FakeCamera> {
  const camera = await startFakeCamera({ rtsp: false, ...options });
  open.push(camera);
  return camera;
}

const client = (url: string, login?: { username: string; password: string }, timeoutMs = 30_000) => {
  const endpoint = onvifEndpoint(url);
  if (!endpoint) throw new Error(url);
  return new OnvifCamera({
    endpoint,
    login,
    network: new CameraNetwork({ allowLoopback: true }),
    now: () => systemClock.now(),
    timeoutMs,
  });
};

describe.each([
  ['WS-Security', { auth: 'wsse' }],
  ['digest only', { auth: 'digest' }],
  ['both', { auth: 'both' }],
  ['no credentials', { auth: 'none' }],
  ['a clock an hour slow', { auth: 'wsse', clockOffsetMs: -3_600_000 }],
  ['a clock that lies to a camera that takes both', { auth: 'both', clockOffsetMs: 86_400_000 }],
  ['Profile T', { auth: 'digest', profileT: true }],
  ['everything behind credentials', { auth: 'both', faults: { authForAll: true } }],
  ['an address behind NAT', { auth: 'both', faults: { xaddrHost: '203.0.113.77' } }],
  ['no GetServices', { auth: 'both', faults: { unsupported: ['GetServices'] } }],
] as const)('a camera with %s', (_name, options) => {
  it('says what it is, where its streams are, and does as it is told', async () => {
    const camera = await fake(options);
    const onvif = client(camera.deviceUrl, camera.credentials);
    await onvif.connect();
    expect(Math.abs((onvif.clockOffsetMs ?? NaN) - camera.clockOffset())).toBeLessThan(60_000);
    expect(await onvif.deviceInformation()).toEqual({
      manufacturer: 'Siphera Test',
      model: 'Fake Camera',
      firmware: '1.2.3',
      serial: camera.serial,
    });
    expect(await onvif.mac()).toBe(camera.mac.toUpperCase());
    const profiles = await onvif.profiles();
    const { main, sub } = chooseStreams(profiles);
    expect(main).toMatchObject({ video: 'h264', width: 640, height: 360, fps: 25 });
    expect(sub).toMatchObject({ width: 320, height: 180 });
    expect(await onvif.streamUri(main?.token ?? '')).toContain(`/${camera.name}/main`);
    const url = await onvif.snapshotUri(main?.token ?? '');
    expect(url).toContain(`http://127.0.0.1:${camera.httpPort}/`);
    expect((await onvif.picture(url ?? '')).length).toBeGreaterThan(500);
    expect(onvif.hasPtz && onvif.hasEvents).toBe(true);
    await onvif.ptz(main?.token ?? '', { action: 'move', pan: 0.5, tilt: 0, zoom: 0, for_ms: 500 });
    const preset = await onvif.setPreset(main?.token ?? '', 'Gate & <yard>');
    expect(await onvif.presets(main?.token ?? '')).toContainEqual({ token: preset, name: 'Gate & <yard>' });
    await onvif.ptz(main?.token ?? '', { action: 'preset', preset: preset ?? '' });
    await onvif.removePreset(main?.token ?? '', preset ?? '');
    await onvif.ptz(main?.token ?? '', { action: 'home' });
    await onvif.ptz(main?.token ?? '', { action: 'stop' });
    expect(camera.ptzLog.length).toBeGreaterThanOrEqual(4);
    const [relay = ''] = await onvif.relays();
    await onvif.setRelay(relay, true);
    expect(camera.relayLog.at(-1)).toMatchObject({ token: relay });
    expect(await onvif.inputs()).toHaveLength(1);
    await onvif.setClock(systemClock.now());
    expect(Math.abs(camera.clockOffset())).toBeLessThan(60_000);
  });
});

describe('events', () => {
  it('come by a pull point, first as states, and end with the subscription', async () => {
    const camera = await fake({ auth: 'digest' });
    const onvif = client(camera.deviceUrl, camera.credentials);
    await onvif.connect();
    const subscription = await onvif.subscribe(60_000);
    const states = await onvif.pull(subscription, 1_000, 30_000);
    expect(states.map(({ operation }) => operation)).toEqual(states.map(() => 'Initialized'));
    const waiting = onvif.pull(subscription, 20_000, 30_000);
    camera.motion(true);
    expect(await waiting).toMatchObject([
      { topic: 'RuleEngine/CellMotionDetector/Motion', data: { IsMotion: 'true' }, operation: 'Changed' },
    ]);
    await onvif.renew(subscription, 60_000);
    await onvif.unsubscribe(subscription);
    await expect(onvif.pull(subscription, 1_000, 30_000)).rejects.toMatchObject({ kind: 'refused' });
  });
});

describe('a camera that is wrong', () => {
  it('takes no other password, and says so by kind', async () => {
    for (const auth of ['wsse', 'digest', 'both'] as const) {
      const camera = await fake({ auth });
      const onvif = client(camera.deviceUrl, { ...camera.credentials, password: 'wröng <&"' });
      await onvif.connect();
      await expect(onvif.deviceInformation()).rejects.toMatchObject({ kind: 'unauthorised' });
    }
  });

  it('is given up in time when it is silent, broken or gone', async () => {
    const camera = await fake({ faults: { malformed: ['GetDeviceInformation'] } });
    const onvif = client(camera.deviceUrl, camera.credentials);
    await onvif.connect();
    await expect(onvif.deviceInformation()).rejects.toMatchObject({ kind: 'nonsense' });
    camera.faults.slowMs = 60_000;
    await expect(client(camera.deviceUrl, camera.credentials, 300).readClock()).rejects.toMatchObject({
      kind: 'unreachable',
    });
    await camera.unplug();
    await expect(onvif.readClock()).rejects.toMatchObject({ kind: 'unreachable' });
  });

  const envelope = (body: string, prologue = ''): string =>
    `${prologue}<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>${body}</s:Body></s:Envelope>`;
  it.each([
    ['XXE', envelope('<a>&x;</a>', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>')],
    [
      'entities that multiply',
      envelope('<a>&b;</a>', `<!DOCTYPE a [<!ENTITY a "${'x'.repeat(1_000)}"><!ENTITY b "&a;&a;&a;">]>`),
    ],
    ['deep nesting', envelope('<a>'.repeat(50_000) + '</a>'.repeat(50_000))],
    ['a 100 MB answer', 'x'],
    ['an answer of another kind', envelope('<GetServicesResponse/>')],
    ['no XML', '<html><body>Unauthorized'],
    ['__proto__', envelope('<__proto__ __proto__="x"/>')],
  ])('harms nobody: %s', async (name, text) => {
    const server = createServer((_request, response) => {
      if (name !== 'a 100 MB answer') {
        response.end(text);
        return;
      }
      const chunk = Buffer.alloc(1_000_000, 0x20);
      const more = (): void => {
        while (!response.destroyed) if (!response.write(chunk)) break;
      };
      response.on('drain', more);
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const onvif = client(`127.0.0.1:${(server.address() as AddressInfo).port}`, {
      username: 'a',
      password: 'b',
    });
    for (const attempt of [
      () => onvif.connect(),
      () => onvif.profiles(),
      () => onvif.streamUri('x').then((uri) => onvif.picture(uri ?? '')),
      () => onvif.subscribe(1_000),
    ])
      await expect(attempt()).rejects.toMatchObject({ kind: 'nonsense' });
    server.close();
    server.closeAllConnections();
  });

  it('cannot send us elsewhere', async () => {
    let hits = 0;
    const own = createServer((_request, response) => {
      hits += 1;
      response.end();
    });
    await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
    const port = (own.address() as AddressInfo).port;
    const redirecting = createServer((_request, response) =>
      response.writeHead(307, { location: `http://127.0.0.1:${port}/internal` }).end(),
    );
    await new Promise<void>((resolve) => redirecting.listen(0, '127.0.0.1', resolve));
    const onvif = client(`127.0.0.1:${(redirecting.address() as AddressInfo).port}`);
    await expect(onvif.readClock()).rejects.toThrow(/redirect/);
    await expect(onvif.picture(`http://10.1.2.3:${port}/x.jpg`)).rejects.toThrow(/redirect/);
    expect(hits).toBe(0);
    for (const server of [own, redirecting]) {
      server.close();
      server.closeAllConnections();
    }
  });
});
