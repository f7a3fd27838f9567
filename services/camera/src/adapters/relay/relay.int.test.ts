/** Relays against cameras that send: codecs, the on-demand sub-stream, cameras that lie, drop and hang. */
import {
  freePorts,
  startFakeCamera,
  startRtspServer,
  type FakeCameraOptions,
  type FakeRtspServer,
} from '@siphera/testkit';
import { createSocket } from 'node:dgram';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Fragment, InitSegment, StreamListener } from '../../domain/media.ts';
import { SignalHub, type KnownCamera } from '../../domain/camera.ts';
import type { Ground } from '../../ground.ts';
import { until } from '../../testing/rig.ts';
import { createLogger, systemClock, systemRandom } from '@siphera/runtime';
import { CameraConfig } from '../../config.ts';
import { CameraNetwork } from '../camera-network.ts';
import { RelayHub } from './relay-hub.ts';

const cameraId = '0192f000-0000-7000-8000-00000000000c';
const ends: (() => unknown)[] = [];
let rtsp: FakeRtspServer;

beforeAll(async () => {
  rtsp = await startRtspServer();
});
afterAll(() => rtsp.stop());
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

type Heard = { inits: InitSegment[]; fragments: Fragment[]; lost: string[] };

function hear(): Heard & { listener: StreamListener } {
  const heard: Heard = { inits: [], fragments: [], lost: [] };
  const listener: StreamListener = {
    init: (init) => heard.inits.push(init),
    fragment: (fragment) => heard.fragments.push(fragment),
    lost: (reason) => heard.lost.push(reason),
  };
  return { ...heard, listener };
}

/** A camera and a hub that knows it, with what the directory says of its codecs. */
async function start(
  options: FakeCameraOptions,
  said: { video: 'h264' | 'h265' | null; audio: 'aac' | null },
  rtpStreams = 10,
) {
  const camera = await startFakeCamera({ rtsp, ...options });
  ends.push(() => camera.stop());
  // Four of each stream, from an even one on.
  const rtpPorts = await freePorts(4 * rtpStreams + 1);
  const stream = (role: 'main' | 'sub') => ({
    role,
    url: camera.rtspUrl(role, { credentials: false }),
    secretUrl: camera.rtspUrl(role),
    profile_token: null,
    width: null,
    height: null,
    fps: null,
    bitrate_bps: null,
    ...said,
  });
  const known = {
    id: cameraId,
    enabled: true,
    streams: [stream('main'), stream('sub')],
  } as unknown as KnownCamera;
  const config = CameraConfig.parse({
    DATA_DIR: '/nowhere',
    RECORDINGS_DIR: '/nowhere',
    CORE_INTERNAL_URL: 'unix:/nowhere',
    CAMERA_KEY: Buffer.alloc(32).toString('base64'),
    JANUS_URL: 'ws://127.0.0.1:9',
    RTP_PORTS: `${rtpPorts[0]}-${rtpPorts.at(-1)}`,
  });
  const hub = new RelayHub(
    {
      config,
      clock: systemClock,
      random: systemRandom,
      log: createLogger({ service: 'test', destination: { write: () => undefined } }),
      signals: new SignalHub(),
      directory: { get: () => known, all: () => [known] },
      network: new CameraNetwork({ allowLoopback: true }),
      setState: () => undefined,
    } as unknown as Ground,
    { lingerMs: 300 },
  );
  hub.start();
  ends.push(() => hub.stop());
  return { camera, hub };
}

describe('a relay', () => {
  it('hands H.264 with G.711 on: AAC in the MP4, G.711 in RTP, key frames first', async () => {
    const main = { fps: 10, gopSeconds: 1, audio: 'pcmu' } as const;
    const { hub } = await start({ main }, { video: 'h264', audio: null });
    const heard = hear();
    hub.listen({ cameraId, role: 'main' }, heard.listener);
    await until(() => heard.fragments.length >= 6);
    expect(heard.inits.at(-1)!.mime).toMatch(/^video\/mp4; codecs="avc1\.[0-9a-f]{6}, mp4a\.40\.2"$/);
    expect(heard.fragments[0]!.key).toBe(true);
    const feed = hub.rtp({ cameraId, role: 'main' })!;
    expect(feed).toMatchObject({ videoCodec: 'h264', audio: { codec: 'pcmu' } });
    const socket = createSocket('udp4');
    ends.push(() => socket.close());
    const packets: number[] = [];
    socket.on('message', (packet) => packets.push(packet.length));
    socket.bind(feed.videoPort, '127.0.0.1');
    await until(() => packets.length > 10);
    expect(Math.max(...packets)).toBeLessThanOrEqual(1_200);
    // Wall time goes on without holes, and is the time of now.
    for (const [index, fragment] of heard.fragments.entries())
      if (index > 0) expect(fragment.startMs).toBeGreaterThanOrEqual(heard.fragments[index - 1]!.startMs);
    const last = heard.fragments.at(-1)!;
    expect(Math.abs(Date.now() - (last.startMs + last.durationMs))).toBeLessThan(60_000);
  });

  it('finds out that a stream is not what the camera says', async () => {
    const main = { codec: 'h265', fps: 10, gopSeconds: 1 } as const;
    const { hub } = await start({ main }, { video: 'h264', audio: 'aac' });
    const heard = hear();
    hub.listen({ cameraId, role: 'main' }, heard.listener);
    await until(() => heard.fragments.length >= 2);
    expect(heard.inits.at(-1)).toMatchObject({ video: 'h265' });
    expect(heard.inits.at(-1)!.mime).toMatch(/codecs="hvc1\./);
    expect(hub.rtp({ cameraId, role: 'main' })).toMatchObject({ videoCodec: 'h265', audio: undefined });
  });

  it('gives its fragments when all RTP ports are taken, and RTP as soon as some are free', async () => {
    const main = { fps: 10, gopSeconds: 1 } as const;
    const { camera, hub } = await start({ main, sub: main }, { video: 'h264', audio: null }, 1);
    const first = hear();
    const letGo = hub.listen({ cameraId, role: 'sub' }, first.listener);
    await until(() => first.fragments.length >= 1);
    const heard = hear();
    hub.listen({ cameraId, role: 'main' }, heard.listener);
    await until(() => heard.fragments.length >= 2);
    expect(hub.rtp({ cameraId, role: 'main' })).toBeUndefined();
    letGo();
    await until(() => hub.current({ cameraId, role: 'sub' }) === undefined);
    const again = heard.inits.length;
    // Its ports are given back when its ffmpeg has ended.
    await until(async () => {
      await camera.dropRtsp();
      await until(() => heard.inits.length > again);
      return hub.rtp({ cameraId, role: 'main' }) !== undefined;
    });
  });

  it('copies AAC, and begins with a key frame where parameter sets stand in the SDP alone', async () => {
    const main = { fps: 10, gopSeconds: 1, audio: 'aac', headersInSdpOnly: true } as const;
    const { hub } = await start({ main }, { video: 'h264', audio: 'aac' });
    const heard = hear();
    hub.listen({ cameraId, role: 'main' }, heard.listener);
    await until(() => heard.fragments.length >= 2);
    expect(heard.inits[0]!.mime).toContain('mp4a.40.2');
    expect(heard.fragments[0]!.key).toBe(true);
  });

  it('starts the sub-stream for its first listener, gives later ones the last key frame at once, and ends it', async () => {
    const sub = { fps: 10, gopSeconds: 2 } as const;
    const { hub, camera } = await start({ sub }, { video: 'h264', audio: null });
    const key = { cameraId, role: 'sub' } as const;
    const [first, second] = [hear(), hear()];
    const endFirst = hub.listen(key, first.listener);
    await until(() => first.fragments.length >= 3);
    const endSecond = hub.listen(key, second.listener, { fromKey: true });
    expect(second.inits).toHaveLength(1);
    expect(second.fragments[0]!.key).toBe(true);
    expect(await camera.rtspClients()).toBe(1);
    endFirst();
    endSecond();
    await until(async () => (await camera.rtspClients()) === 0);
    expect(hub.current(key)).toBeUndefined();
  });

  it('connects again when the camera drops it, with a new start and a key frame', async () => {
    const main = { fps: 10, gopSeconds: 1 } as const;
    const { hub, camera } = await start({ main }, { video: 'h264', audio: null });
    const heard = hear();
    hub.listen({ cameraId, role: 'main' }, heard.listener);
    await until(() => heard.fragments.length >= 2);
    const [inits, fragments] = [heard.inits.length, heard.fragments.length];
    await camera.dropRtsp();
    await until(() => heard.inits.length > inits);
    await until(() => heard.fragments.length > fragments + 2);
    expect(heard.lost.length).toBeGreaterThan(0);
  });
});
