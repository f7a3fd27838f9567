/** Relays and recorder as one part of the service: others are given the streams and the footage. */
import { RelayHub } from './adapters/relay/relay-hub.ts';
import { realFiles, type Files } from './adapters/recorder/files.ts';
import { Recorder } from './adapters/recorder/recorder.ts';
import type { Ground } from './ground.ts';
import type { Part } from './part.ts';

export type Recording = { streams: RelayHub; recorder: Recorder; part: Part };

export function createRecording(ground: Ground, files: Files = realFiles): Recording {
  const streams = new RelayHub(ground);
  const recorder = new Recorder(ground, streams, files);
  const part: Part = {
    name: 'recorder',
    start: async () => {
      streams.start();
      await recorder.start();
    },
    stop: async () => {
      // What the recorder holds is durable before the streams end.
      await recorder.stop();
      await streams.stop();
    },
  };
  return { streams, recorder, part };
}
