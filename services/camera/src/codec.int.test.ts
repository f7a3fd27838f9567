/** A stream is set to H.264 at the camera, and what is recorded and shown of it is H.264 from then on. */
import { startFakeCamera, type FakeCamera, type FakeCameraOptions } from '@siphera/testkit';
import { Camera } from '@siphera/contract';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createOnvifPart } from './onvif.part.ts';
import { createRecording, type Recording } from './recording.part.ts';
import { probe } from './testing/recording-kit.ts';
import { startRig, until, type Rig } from './testing/rig.ts';

let rig: Rig;
let recording: Recording;
const fakes: FakeCamera[] = [];

beforeAll(async () => {
  rig = await startRig({
    parts: (ground, base) => {
      recording = createRecording(ground);
      return [recording.part, createOnvifPart(ground, base).part];
    },
  });
});
afterAll(() => rig.stop());
afterEach(async () => {
  for (const camera of rig.camera.ground.directory.all())
    await rig.rest('DELETE', `/camera/cameras/${camera.id}`);
  for (const camera of fakes.splice(0)) await camera.stop();
});

async function added(options: FakeCameraOptions): Promise<{ fake: FakeCamera; camera: Camera }> {
  const fake = await startFakeCamera(options);
  fakes.push(fake);
  const address = `127.0.0.1:${fake.httpPort}`;
  return { fake, camera: await rig.add({ address, credentials: fake.credentials }) };
}
const set = (id: string, role = 'main') =>
  rig.rest('POST', `/camera/cameras/${id}/codec`, { role, video: 'h264' });
const running = (id: string): string | undefined =>
  recording.streams.current({ cameraId: id, role: 'main' })?.init.video;

/** The newest segment, when it has a picture or two and is not the given one. */
function lengthy(id: string, not?: number): number | undefined {
  const last = recording.recorder.footage.segments(id, 0, Number.MAX_SAFE_INTEGER).at(-1);
  return last && last.id !== not && last.toMs - last.fromMs > 500 ? last.id : undefined;
}
async function codecOf(segment: number): Promise<string> {
  const bytes: Buffer[] = [];
  for await (const part of recording.recorder.footage.open(segment)) bytes.push(part);
  return probe(Buffer.concat(bytes)).codec;
}

describe('a stream that browsers cannot play', () => {
  it('is set to H.264, recorded as that at once, and audited', async () => {
    const main = { codec: 'h265', width: 640, height: 360, fps: 10, gopSeconds: 1 } as const;
    const { fake, camera } = await added({ profileT: true, main, sub: false });
    expect(camera.streams[0]).toMatchObject({ role: 'main', video: 'h265' });
    await until(() => running(camera.id) === 'h265');
    const before = await until(() => lengthy(camera.id));

    const answer = await set(camera.id);
    expect(answer.status).toBe(200);
    expect(Camera.parse(answer.body).streams[0]).toMatchObject({ video: 'h264', width: 640, height: 360 });
    expect(fake.encoderLog).toMatchObject([
      { token: 'encoder_main', changed: { codec: 'h264', width: 640, height: 360, fps: 10 } },
    ]);
    await until(() => running(camera.id) === 'h264');
    const after = await until(() => lengthy(camera.id, before));
    expect([await codecOf(before), await codecOf(after)]).toEqual(['hevc', 'h264']);
    const audit = await until(() => rig.core.audits.find(({ action }) => action === 'camera.set_codec'));
    expect(audit).toMatchObject({
      target: `camera:${camera.id}`,
      detail: { role: 'main', video: 'h264' },
    });

    // Once more changes nothing.
    expect((await set(camera.id)).status).toBe(200);
    expect(fake.encoderLog).toHaveLength(1);
  });

  it('stays as it is where the camera cannot, and says so', async () => {
    const main = { codec: 'h265', fps: 10 } as const;
    const { fake, camera } = await added({
      profileT: true,
      main,
      sub: false,
      faults: { noH264Encoder: true },
    });
    expect(await set(camera.id)).toMatchObject({
      status: 422,
      body: { code: 'unprocessable', detail: expect.stringContaining('has no H.264 encoder') as string },
    });
    expect(await set(camera.id, 'sub')).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('has no sub stream') as string },
    });
    expect(fake.encoderLog).toEqual([]);

    delete fake.faults.noH264Encoder;
    fake.faults.encoderStays = true;
    expect(await set(camera.id)).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('its stream is still h265') as string },
    });
    // The stream's own word counts.
    const shown = (await rig.rest('GET', `/camera/cameras/${camera.id}`)).body as Camera;
    expect(shown.streams[0]?.video).toBe('h265');
  });

  it('is set by Media where the camera has no Media2', async () => {
    const main = { codec: 'h265', fps: 10, width: 800, height: 450 } as const;
    const { fake, camera } = await added({ main, sub: false });
    const answer = await set(camera.id);
    // The nearest size below that its encoder has.
    expect(Camera.parse(answer.body).streams[0]).toMatchObject({ video: 'h264', width: 640, height: 360 });
    expect(fake.encoderLog).toMatchObject([{ changed: { codec: 'h264', fps: 10 } }]);
  });
});
