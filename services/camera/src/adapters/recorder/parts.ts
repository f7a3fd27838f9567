/** What the parts of the recorder share. */
import type { LiveStreams } from '../../domain/media.ts';
import type { Ground } from '../../ground.ts';
import type { MarkStore } from '../../store/mark.store.ts';
import type { SegmentStore } from '../../store/segment.store.ts';
import type { Files } from './files.ts';
import type { SegmentFile } from './segment-file.ts';
import type { Storages } from './storages.ts';

export type RecorderParts = {
  ground: Ground;
  files: Files;
  streams: LiveStreams;
  storages: Storages;
  segments: SegmentStore;
  marks: MarkStore;
  /** Segments that grow, by id: listed and read before their rows are whole. */
  growing: Map<number, SegmentFile>;
  /** Whole paths of files that are being made, from before they exist until their rows do: no crash left them. */
  making: Set<string>;
  /** A storage has no room: retention has to look now, not at its next turn. */
  onPressure: () => void;
  /** Bytes that wait for disks, of all cameras. */
  waiting: { bytes: number };
};
