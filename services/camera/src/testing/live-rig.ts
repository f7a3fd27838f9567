/** The camera service with watching alone, on streams of the test's own making. */
import type { CameraStream, Grant } from '@siphera/contract';
import type { z } from 'zod';
import { Transcoder } from '../adapters/transcode.ts';
import type { Notice } from '../domain/live-boxes.ts';
import type { StreamKey } from '../domain/media.ts';
import type { Box } from '../domain/mp4-box.ts';
import { createLivePart, type LiveNeeds } from '../live.part.ts';
import { SettingsStore } from '../store/settings.store.ts';
import { BoxCutter } from './box-cutter.ts';
import { startRig, testOrg, until, type Rig, type RigOptions } from './rig.ts';
import { StandInStreams } from './stand-in-streams.ts';

export type LiveRig = Rig & {
  streams: StandInStreams;
  transcoder: Transcoder;
  /** A camera with both streams that may be watched now, and the keys of these. */
  watched(name?: string): Promise<{ id: string; main: StreamKey; sub: StreamKey }>;
};

const streamOf = (role: StreamKey['role']): z.infer<typeof CameraStream> => ({
  role,
  url: `rtsp://127.0.0.1:9/${role}`,
  profile_token: null,
  video: null,
  audio: null,
  width: null,
  height: null,
  fps: null,
  bitrate_bps: null,
});

export const liveGrants: Grant[] = [{ permissions: ['camera.live'], scope: `org:${testOrg}` }];

export async function startLiveRig(
  options: RigOptions & { needs?: Pick<LiveNeeds, 'footage' | 'snapshot'> } = {},
): Promise<LiveRig> {
  const streams = new StandInStreams();
  let transcoder: Transcoder | undefined;
  const rig = await startRig({
    ...options,
    parts: (ground, base) => {
      const settings = new SettingsStore(ground.db);
      transcoder = new Transcoder({
        ...ground,
        ffmpeg: 'ffmpeg',
        streams,
        max: () => settings.get().transcodes_max,
      });
      return [createLivePart(ground, base, { streams, transcoder, settings, ...options.needs })];
    },
  });
  const { stop } = rig;
  const own = {
    streams,
    transcoder: transcoder!,
    watched: async (name = 'Lobby') => {
      const { id } = rig.place({ streams: [streamOf('main'), streamOf('sub')] }, name);
      await until(() => rig.camera.ground.directory.get(id)?.scopes.length);
      return {
        id,
        main: { cameraId: id, role: 'main' as const },
        sub: { cameraId: id, role: 'sub' as const },
      };
    },
    stop: async () => {
      await stop();
      await streams.stop();
    },
  };
  return Object.defineProperties(rig, Object.getOwnPropertyDescriptors(own)) as LiveRig;
}

/** Reads a live answer box by box. */
export class LiveReader {
  readonly boxes: Box[] = [];
  readonly notices: Notice[] = [];
  bytes = Buffer.alloc(0);
  ended = false;
  readonly #cutter = new BoxCutter((box) => this.#take(box));

  constructor(response: Response) {
    void this.#read(response);
  }

  count(type: string): number {
    return this.boxes.filter((box) => box.type === type).length;
  }

  async #read(response: Response): Promise<void> {
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        this.bytes = Buffer.concat([this.bytes, chunk]);
        this.#cutter.push(chunk);
      }
    } catch (error) {
      // Aborted by the test, or cut by the service: the end is what counts.
      this.ended = error instanceof Error;
    }
    this.ended = true;
  }

  #take(box: Box): void {
    this.boxes.push(box);
    if (box.type === 'uuid') this.notices.push(JSON.parse(box.bytes.subarray(24).toString()) as Notice);
  }
}
