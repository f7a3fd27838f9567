/** What cameras are told over REST: clock, picture, PTZ, presets, ports. Each is in the audit, but for looking. */
import type { cameraRoutes } from '@siphera/contract';
import { AppError, type Caller, type Handlers } from '@siphera/runtime';
import type { Ground } from '../ground.ts';
import type { Base } from '../part.ts';
import type { Onvif } from '../adapters/onvif/create-onvif.ts';
import { cameraFor } from './access.ts';
import { auditOf } from './audit.ts';
import { toCamera } from './wire.ts';

type Names =
  | 'setCameraClock'
  | 'setCameraCodec'
  | 'getCameraSnapshot'
  | 'movePtz'
  | 'listPtzPresets'
  | 'createPtzPreset'
  | 'deletePtzPreset'
  | 'listCameraPorts'
  | 'setCameraRelay';
type ControlHandlers = Pick<Handlers<typeof cameraRoutes>, Names>;

export function controlHandlers({
  ground,
  base,
  onvif,
}: {
  ground: Ground;
  base: Base;
  onvif: Onvif;
}): ControlHandlers {
  const { directory } = ground;
  const { control } = onvif;
  const note = (caller: Caller, id: string, action: string, detail: Record<string, unknown>): void =>
    auditOf(ground.outbox, caller, { action: `camera.${action}`, target: `camera:${id}`, detail });
  return {
    setCameraClock: async ({ caller, params: { id } }) => {
      const camera = cameraFor(directory, caller, 'camera.manage', id);
      await control.setClock(id);
      note(caller, id, 'set_clock', {});
      const row = base.registry.row(id);
      if (!row) throw new AppError('not_found', 'There is no such camera.');
      return toCamera(row, camera, base.states.get(id));
    },

    setCameraCodec: async ({ caller, params: { id }, body }) => {
      cameraFor(directory, caller, 'camera.manage', id);
      await control.setH264(id, body.role, () => note(caller, id, 'set_codec', body));
      const row = base.registry.row(id);
      if (!row) throw new AppError('not_found', 'There is no such camera.');
      return toCamera(row, cameraFor(directory, caller, 'camera.manage', id), base.states.get(id));
    },

    getCameraSnapshot: async ({ caller, params: { id }, query }) => {
      cameraFor(directory, caller, 'camera.live', id);
      return { mediaType: 'image/jpeg', body: await control.snapshot(id, query.width) };
    },

    movePtz: async ({ caller, params: { id }, body }) => {
      cameraFor(directory, caller, 'camera.ptz', id);
      await control.ptz(id, body);
      // A hand on the stick is many moves; where it began to turn is enough.
      if (body.action !== 'stop') note(caller, id, 'ptz', body);
    },

    listPtzPresets: async ({ caller, params: { id } }) => {
      cameraFor(directory, caller, 'camera.live', id);
      return { items: await control.presets(id) };
    },

    createPtzPreset: async ({ caller, params: { id }, body }) => {
      cameraFor(directory, caller, 'camera.manage', id);
      const preset = await control.createPreset(id, body.name);
      note(caller, id, 'preset_create', preset);
      return preset;
    },

    deletePtzPreset: async ({ caller, params: { id, token } }) => {
      cameraFor(directory, caller, 'camera.manage', id);
      await control.removePreset(id, token);
      note(caller, id, 'preset_delete', { token });
    },

    listCameraPorts: async ({ caller, params: { id } }) => {
      cameraFor(directory, caller, 'camera.live', id);
      return { items: await control.ports(id) };
    },

    setCameraRelay: async ({ caller, params: { id, token }, body }) => {
      cameraFor(directory, caller, 'device.command', id);
      await control.setRelay(id, token, body.on);
      note(caller, id, 'relay', {
        token,
        on: body.on,
        ...(body.reason === undefined ? {} : { reason: body.reason }),
      });
    },
  };
}
