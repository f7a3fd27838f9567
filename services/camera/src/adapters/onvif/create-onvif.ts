/** The ONVIF side of the service: links to all cameras, what they report, and what they are told. */
import type { Ground } from '../../ground.ts';
import type { Base, HealthCheck } from '../../part.ts';
import { OnvifStateStore } from '../../store/onvif-state.store.ts';
import { CameraControl } from './camera-control.ts';
import { CameraLinks } from './camera-links.ts';
import { EventIntake } from './event-intake.ts';
import { Finder } from './finder.ts';

export type Onvif = {
  control: CameraControl;
  links: CameraLinks;
  finder: Finder;
  start(): void;
  stop(): Promise<void>;
  checks(): HealthCheck[];
};

const sweepMs = 500;

export function createOnvif(ground: Ground, { registry, states }: Base): Onvif {
  const store = new OnvifStateStore(ground.db);
  const intake = new EventIntake(ground, store);
  const finder = new Finder(ground, registry);
  const links = new CameraLinks({ ground, registry, states, store, intake, finder });
  const control = new CameraControl({ ground, registry, links, intake });
  const gauge = ground.metrics.gauge('cameras_online', 'Cameras that answer');
  let timer: NodeJS.Timeout | undefined;
  return {
    control,
    links,
    finder,
    start: () => {
      timer = setInterval(() => {
        try {
          intake.sweep();
        } catch (error) {
          // A full disk: motions are rows, the next look finds them again.
          ground.log.error('sweep_failed', { error });
        }
      }, sweepMs);
      links.start();
    },
    stop: async () => {
      clearInterval(timer);
      control.stop();
      await Promise.all([links.stop(), finder.stop()]);
    },
    checks: () => {
      const { all, online } = links.counts();
      gauge.set(online);
      return [
        {
          name: 'cameras',
          // One camera that is away has its own alarm; half of them are a switch.
          state: all > 1 && online * 2 < all ? 'degraded' : 'ok',
          detail: `${online} of ${all} cameras answer`,
        },
      ];
    },
  };
}
