/** The camera service with its recorder alone, and what tests of it ask again and again. */
import { createRecording, type Recording } from '../recording.part.ts';
import type { Files } from '../adapters/recorder/files.ts';
import { startRig, type Rig, type RigOptions } from './rig.ts';

export type RecordingRig = {
  rig: Rig;
  /** Of the service as it runs now. */
  recording(): Recording;
  segments(cameraId: string): ReturnType<Recording['recorder']['footage']['segments']>;
  recordedMs(cameraId: string): number;
  /** Types of the events that core has got. */
  eventTypes(): string[];
};

export async function startRecordingRig(options: RigOptions & { files?: Files } = {}): Promise<RecordingRig> {
  let recording: Recording | undefined;
  const rig = await startRig({
    ...options,
    parts: (ground) => {
      recording = createRecording(ground, options.files);
      return [recording.part];
    },
  });
  const segments: RecordingRig['segments'] = (id) =>
    recording!.recorder.footage.segments(id, 0, Number.MAX_SAFE_INTEGER);
  return {
    rig,
    recording: () => recording!,
    segments,
    recordedMs: (id) => segments(id).reduce((sum, one) => sum + one.toMs - one.fromMs, 0),
    eventTypes: () => rig.core.events.map((event) => event.type),
  };
}
