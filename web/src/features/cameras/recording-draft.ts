/** A recording policy as a form edits it. Pure. */
import type { Recording } from '#features/cameras/camera-types.ts';

export const recordingModes: readonly Recording['mode'][] = [
  'continuous',
  'motion',
  'events',
  'schedule',
  'off',
];
export const gigabyte = 1_000_000_000;

export const emptyRecording = (): Recording => ({
  mode: 'continuous',
  pre_roll_ms: 10_000,
  post_roll_ms: 20_000,
  schedule: [],
  keep_days: 30,
  keep_event_days: null,
  quota_bytes: null,
  storage_id: null,
});

/** What is edited, with the hours a schedule needs. */
export const withSchedule = (recording: Recording): Recording =>
  recording.mode === 'schedule' && recording.schedule.length === 0
    ? { ...recording, schedule: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '18:00', to: '07:00' }] }
    : recording;
