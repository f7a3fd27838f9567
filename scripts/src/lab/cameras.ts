/** The building's cameras while they run: they see what moves in their room and what happens at what they watch. */
import type { FakeCamera } from '@siphera/testkit';
import type { LabCamera } from './building.ts';

/** As the motion detectors of the day. */
const motionMs = 9_000;

type RunningCamera = { camera: LabCamera; fake: Pick<FakeCamera, 'motion' | 'stop'> };

export class LabCameras {
  readonly #running: readonly RunningCamera[];
  readonly #stopServer: () => Promise<void>;
  readonly #motion = new Map<string, NodeJS.Timeout>();

  constructor(running: readonly RunningCamera[], stopServer: () => Promise<void>) {
    this.#running = running;
    this.#stopServer = stopServer;
  }

  get size(): number {
    return this.#running.length;
  }

  /** Somebody moves in a room. */
  moved(room: string): void {
    this.#see(this.#running.filter(({ camera }) => camera.room === room));
  }

  /** Something happens at a device of the lab. @returns the names of the cameras that see it. */
  sees(device: string): string[] {
    const near = this.#running.filter(({ camera }) => camera.watches.includes(device));
    this.#see(near);
    return near.map(({ camera }) => camera.name);
  }

  async stop(): Promise<void> {
    for (const timer of this.#motion.values()) clearTimeout(timer);
    await Promise.all(this.#running.map(({ fake }) => fake.stop()));
    await this.#stopServer();
  }

  #see(which: readonly RunningCamera[]): void {
    for (const { camera, fake } of which) {
      const running = this.#motion.get(camera.id);
      clearTimeout(running);
      if (running === undefined) fake.motion(true);
      const ended = (): void => {
        this.#motion.delete(camera.id);
        fake.motion(false);
      };
      this.#motion.set(camera.id, setTimeout(ended, motionMs));
    }
  }
}
