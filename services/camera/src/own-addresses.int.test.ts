/** The box's own services are no cameras: whoever names them, and however, they are not asked. */
import { createServer, type AddressInfo, type Server } from 'node:net';
import { startFakeCamera } from '@siphera/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CameraNetwork } from './adapters/camera-network.ts';
import { boundedRequest } from './adapters/onvif/bounded-request.ts';
import { describeRtsp } from './adapters/onvif/rtsp-describe.ts';
import { createOnvifPart } from './onvif.part.ts';
import { createRecording } from './recording.part.ts';
import { place } from './testing/recording-kit.ts';
import { startRig, until, yard, type Rig } from './testing/rig.ts';

let rig: Rig;
/** Stands for a service of the box. */
let own: Server;
let asked = 0;
let port = 0;

beforeAll(async () => {
  own = createServer((socket) => {
    asked += 1;
    socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  });
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  port = (own.address() as AddressInfo).port;
  rig = await startRig({
    env: { CAMERA_ALLOW_LOOPBACK: '0' },
    parts: (ground, base) => [createRecording(ground).part, createOnvifPart(ground, base).part],
  });
});
beforeEach(() => {
  asked = 0;
});
afterAll(async () => {
  await rig.stop();
  own.close();
});

describe('an address of the box', () => {
  it.each([
    () => `127.0.0.1:${port}`,
    () => `localhost:${port}`,
    () => `http://127.1:${port}/onvif/device_service`,
    () => `http://2130706433:${port}/`,
    () => `http://[::ffff:127.0.0.1]:${port}/`,
    () => `rtsp://127.0.0.1:${port}/live`,
    () => `rtsp://localhost:${port}/live`,
    () => `rtsp://2130706433:${port}/live`,
  ])('is not examined: %s', async (address) => {
    const { status, body } = await rig.rest('POST', '/camera/probe', {
      addresses: [address()],
      credentials: [{ username: 'admin', password: 'secret' }],
    });
    expect(status).toBe(200);
    const [report] = (body as { items: { ok: boolean; steps: { detail: string }[] }[] }).items;
    expect(report?.ok).toBe(false);
    expect(JSON.stringify(report?.steps)).toMatch(/(127\.0\.0\.1|::1|::ffff:7f00:1) is the box itself/);
    expect(asked).toBe(0);
  });

  it.each(['169.254.169.254', '[fe80::1]', '0.0.0.0', '[::]', '100.100.100.200', '239.1.1.1'])(
    'or of nobody is not examined either: %s',
    async (address) => {
      const { body } = await rig.rest('POST', '/camera/probe', {
        addresses: [address, `rtsp://${address}/a`],
      });
      const { items } = body as { items: { steps: { detail: string }[] }[] };
      for (const { steps } of items) expect(steps.at(-1)?.detail).toMatch(/^It is not asked: /);
    },
  );

  it('is not added, and not scanned', async () => {
    const refused = {
      status: 422,
      body: {
        code: 'unprocessable',
        detail: expect.stringContaining('127.0.0.1 is the box itself') as string,
      },
    };
    const add = (input: object) =>
      rig.rest('POST', '/camera/cameras', { name: 'Own', area_id: yard, ...input });
    expect(await add({ address: `127.0.0.1:${port}` })).toMatchObject(refused);
    expect(await add({ connection: 'rtsp', rtsp_urls: [`rtsp://127.0.0.1:${port}/a`] })).toMatchObject(
      refused,
    );
    expect(
      await rig.rest('POST', '/camera/discovery', { ranges: ['127.0.0.1'], wait_ms: 500 }),
    ).toMatchObject(refused);
    expect(asked).toBe(0);
  });

  it('is not recorded, although it came by an import', async () => {
    const id = place(rig, {
      rtspUrl: () => `rtsp://localhost:${port}/live`,
      credentials: { username: 'admin', password: 'secret' },
    });
    await until(() => rig.camera.base.states.get(id).problem?.includes('is the box itself'));
    const { status, body } = await rig.rest('GET', `/camera/cameras/${id}/snapshot`);
    expect({ status, body }).toMatchObject({ status: 503, body: { code: 'device_unavailable' } });
    expect(asked).toBe(0);
  });
});

describe('a name', () => {
  const answers = (...lists: string[][]) => {
    const asks: string[] = [];
    return {
      asks,
      resolve: (host: string) => {
        asks.push(host);
        return Promise.resolve((lists.shift() ?? []).map((address) => ({ address, family: 4 })));
      },
    };
  };
  const get = { method: 'GET', headers: {}, timeoutMs: 30_000, bytesMax: 1_000 } as const;

  it('is asked for once, and what was checked is connected to', async () => {
    const { asks, resolve } = answers(['fe80::1', '127.0.0.1'], ['203.0.113.1']);
    const network = new CameraNetwork({ allowLoopback: true, resolve });
    const target = { host: 'camera.test', port, path: '/', secure: false };
    expect(await boundedRequest(target, network, get)).toMatchObject({ status: 200 });
    expect(asks).toEqual(['camera.test']);
  });

  it('that leads to the box is refused, whatever it led to a moment ago', async () => {
    const { resolve } = answers(['192.0.2.1', '192.168.1.7'], ['127.0.0.1'], ['127.0.0.1']);
    const network = new CameraNetwork({ allowLoopback: false, resolve });
    expect(await network.url('rtsp://a:b@camera.test:8554/x')).toBe('rtsp://a:b@192.168.1.7:8554/x');
    await expect(describeRtsp(`rtsp://camera.test:${port}/a`, null, network)).rejects.toMatchObject({
      kind: 'forbidden',
      message: '127.0.0.1 is the box itself',
    });
    const target = { host: 'camera.test', port, path: '/', secure: false };
    await expect(boundedRequest(target, network, get)).rejects.toThrow('127.0.0.1 is the box itself');
    expect(asked).toBe(0);
  });
});

describe('a camera that sends us elsewhere', () => {
  it('by its own words (NAT, or malice) is asked where it answered', async () => {
    await using fake = await startFakeCamera({ rtsp: false, faults: { xaddrHost: '169.254.169.254' } });
    const lenient = await startRig({ parts: (ground, base) => [createOnvifPart(ground, base).part] });
    const camera = await lenient.add({
      address: `127.0.0.1:${fake.httpPort}`,
      credentials: fake.credentials,
    });
    expect(JSON.stringify(camera)).not.toContain('169.254');
    expect(lenient.camera.base.registry.row(camera.id)?.snapshotUrl).toContain('127.0.0.1');
    await lenient.stop();
  });

  it('by a redirect of RTSP is given up', async () => {
    const camera = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => {
        const sequence = /CSeq: (\d+)/.exec(bytes.toString())?.[1] ?? '1';
        const where = `Location: rtsp://127.0.0.1:${port}/own\r\n`;
        socket.write(`RTSP/1.0 302 Moved\r\nCSeq: ${sequence}\r\n${where}\r\n`);
      });
    });
    await new Promise<void>((resolve) => camera.listen(0, '127.0.0.1', resolve));
    const lenient = await startRig({ parts: (ground) => [createRecording(ground).part] });
    const id = place(lenient, {
      rtspUrl: () => `rtsp://127.0.0.1:${(camera.address() as AddressInfo).port}/live`,
      credentials: { username: 'admin', password: 'secret' },
    });
    await until(() => lenient.camera.base.states.get(id).problem?.includes('sends us to another address'));
    await lenient.stop();
    camera.close();
  });
});
