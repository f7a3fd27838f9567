/** The ONVIF side as a part: cameras are found, added, told and heard. */
import { createOnvif, type Onvif } from './adapters/onvif/create-onvif.ts';
import type { Ground } from './ground.ts';
import { cameraHandlers } from './http/cameras.routes.ts';
import { controlHandlers } from './http/control-cameras.routes.ts';
import { findHandlers } from './http/find-cameras.routes.ts';
import type { Base, Part } from './part.ts';

export function createOnvifPart(ground: Ground, base: Base): { part: Part; control: Onvif['control'] } {
  const onvif = createOnvif(ground, base);
  const parts = { ground, base, onvif };
  return {
    control: onvif.control,
    part: {
      name: 'onvif',
      handlers: { ...cameraHandlers(parts), ...findHandlers(parts), ...controlHandlers(parts) },
      start: () => onvif.start(),
      stop: () => onvif.stop(),
      checks: () => onvif.checks(),
    },
  };
}
