/** How each camera is now. In memory: every part tells its share again after a restart. */
import type { CameraState } from '@siphera/contract';
import type { StatePatch } from '../../domain/camera.ts';

const unknown: CameraState = {
  connection: 'connecting',
  recording: 'waiting',
  motion: false,
  bitrate_bps: 0,
  clock_offset_ms: null,
  events: 'none',
  problem: null,
};

export class CameraStates {
  readonly #states = new Map<string, CameraState>();

  get(id: string): CameraState {
    return this.#states.get(id) ?? unknown;
  }

  patch(id: string, patch: StatePatch): void {
    this.#states.set(id, { ...this.get(id), ...patch });
  }

  forget(id: string): void {
    this.#states.delete(id);
  }
}
