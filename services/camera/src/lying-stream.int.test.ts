/** Streams that are not what they say: nothing falls over, somebody is told in words, and what is true is shown. */
import { startFakeCamera } from '@siphera/testkit';
import type { Camera } from '@siphera/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRecording, type Recording } from './recording.part.ts';
import { createOnvifPart } from './onvif.part.ts';
import { startLyingCamera } from './testing/lying-camera.ts';
import { place } from './testing/recording-kit.ts';
import { startRig, until, type Rig } from './testing/rig.ts';

let rig: Rig;
let recording: Recording;
beforeAll(async () => {
  rig = await startRig({
    parts: (ground, base) => {
      recording = createRecording(ground);
      return [recording.part, createOnvifPart(ground, base).part];
    },
  });
});
afterAll(() => rig.stop());

/** Once core has told of it. */
const shown = async (id: string): Promise<Camera | undefined> => {
  const { body } = await rig.rest('GET', '/camera/cameras');
  return (body as { items: Camera[] }).items.find((camera) => camera.id === id);
};
const credentials = { username: 'admin', password: 'secret' };

describe('a stream that lies', () => {
  it('about its codec is recorded and shown as what it is', async () => {
    await using fake = await startFakeCamera({
      main: { codec: 'h265', width: 320, height: 180, fps: 10, gopSeconds: 1 },
      sub: false,
      faults: { announcedCodec: 'h264' },
    });
    const camera = await rig.add({ address: `127.0.0.1:${fake.httpPort}`, credentials: fake.credentials });
    // The wizard has looked at the stream already.
    expect(camera.streams[0]?.video).toBe('h265');
    const id = place(rig, fake, { name: 'Set by hand' });
    const row = rig.camera.base.registry.row(id)!;
    rig.camera.base.registry.save({
      ...row,
      streams: row.streams.map((stream) => ({
        ...stream,
        video: 'h264' as const,
        width: 1_920,
        height: 1_080,
      })),
    });
    await until(async () => (await shown(id))?.streams[0]?.video === 'h265');
    expect((await shown(id))?.streams[0]).toMatchObject({ width: 320, height: 180 });
    await until(() => recording.recorder.footage.segments(id, 0, Number.MAX_SAFE_INTEGER).length > 0);
    expect((await shown(id))?.state).toMatchObject({ connection: 'online', problem: null });
    for (const one of [camera.id, id]) await rig.rest('DELETE', `/camera/cameras/${one}`);
  });

  it.each([
    ['broken', 'baseline', 'sends pictures that are broken', 'online'],
    ['none, with the parameters of good ones', 'main', 'no picture that can be shown or recorded', 'offline'],
    ['none at all', 'none', 'no picture that can be shown or recorded', 'offline'],
  ] as const)(
    'about its pictures, which are %s, is told in words, and nothing falls over',
    async (_name, sets, words, connection) => {
      await using liar = await startLyingCamera(sets);
      const id = place(rig, { rtspUrl: () => liar.url, credentials });
      const state = await until(async () => {
        const { state: now } = (await shown(id)) ?? {};
        return now?.problem?.includes(words) ? now : undefined;
      }, 90_000);
      expect(state.connection).toBe(connection);
      expect(recording.streams.current({ cameraId: id, role: 'main' }) !== undefined).toBe(
        connection === 'online',
      );
      await rig.rest('DELETE', `/camera/cameras/${id}`);
    },
    120_000,
  );
});
