/** A camera as the parts of this service know it, and what they tell each other. Pure types and one small hub. */
import type { CameraState, CameraStream, RecordingPolicy, StreamRole, Watches } from '@siphera/contract';
import type { z } from 'zod';

/** A stream with what ffmpeg needs: the address with the credentials in it. Never logged, never sent. */
export type KnownStream = z.infer<typeof CameraStream> & { secretUrl: string };

export type KnownCamera = {
  id: string;
  orgId: string;
  siteId: string;
  areaId: string;
  areaName: string;
  name: string;
  timeZone: string;
  /** Scope keys that contain it, its own first; empty while core has not been heard yet: then nobody may see it. */
  scopes: readonly string[];
  enabled: boolean;
  connection: 'onvif' | 'rtsp';
  address: string;
  onvifUrl: string | undefined;
  credentials: { username: string; password: string } | undefined;
  streams: readonly KnownStream[];
  recording: RecordingPolicy;
  motionHoldMs: number;
  watches: z.infer<typeof Watches>;
};

/** What is known of a camera by its footage: of one that was removed, as it was then. */
export type FootageCamera = Pick<
  KnownCamera,
  'id' | 'orgId' | 'siteId' | 'areaId' | 'areaName' | 'name' | 'timeZone' | 'scopes'
>;

export type CameraDirectory = {
  get(id: string): KnownCamera | undefined;
  all(): readonly KnownCamera[];
  /** One that was removed: its footage stays for its days and its locks. */
  removed(id: string): FootageCamera | undefined;
  removedOf(orgId: string): readonly FootageCamera[];
};

/** Parts of a camera's state, each written by the part that knows it. */
export type StatePatch = Partial<CameraState>;
/**
 * Who says `connection` and `problem`: the relay of its picture, or the link that asks it (ONVIF, or a look at its stream).
 * Each keeps its own word, and what is shown is both joined. `connecting` is no word yet: the other's counts.
 */
export type StateSource = 'picture' | 'link';

export type SeenStream = { video: 'h264' | 'h265' | 'other'; width: number; height: number };

/**
 * What happens inside the service. `directory`: a camera was added, changed or removed. `happened`: the camera reported
 * something (the event that went to core). `stream`: a relay connected or lost its camera. `command`: core's feed carried one.
 */
export type Signal =
  | { kind: 'directory'; cameraId: string; change: 'added' | 'changed' | 'removed' }
  | { kind: 'happened'; cameraId: string; type: string; title: string; atMs: number; eventId: string }
  | { kind: 'motion'; cameraId: string; on: boolean; atMs: number }
  | {
      kind: 'stream';
      cameraId: string;
      role: StreamRole;
      connected: boolean;
      reason: string;
      atMs: number;
      /** What the stream turned out to be, whatever was said of it; absent while it is not connected. */
      seen?: SeenStream;
    }
  | { kind: 'keep'; cameraId: string; fromMs: number; toMs: number; why: string };

export class SignalHub {
  readonly #listeners = new Set<(signal: Signal) => void>();

  /** @returns how to stop listening. */
  on(listener: (signal: Signal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  emit(signal: Signal): void {
    for (const listener of this.#listeners) listener(signal);
  }
}
