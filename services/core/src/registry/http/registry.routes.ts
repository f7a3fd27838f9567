/** Handlers of the registry, enrolment and command routes. */
import type { registryRoutes } from '../../http-routes.ts';
import type { Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import { DeviceCa } from '../adapters/device-ca.ts';
import { reencodePicture } from '../adapters/plan-picture.ts';

export function registryHandlers(app: AppDeps): Handlers<registryRoutes> {
  const { box } = app;
  const ca = new DeviceCa(app.config.CA_DIR, app.random);
  return {
    listSites: (call) => box.read('listSites', contextOf(call), {}),
    createSite: (call) => box.write('createSite', contextOf(call), call.body),
    updateSite: (call) => box.write('updateSite', contextOf(call), { ...call.params, ...call.body }),
    deleteSite: (call) => box.write('deleteSite', contextOf(call), call.params),
    listAreas: (call) => box.read('listAreas', contextOf(call), call.query),
    createArea: (call) => box.write('createArea', contextOf(call), call.body),
    updateArea: (call) => box.write('updateArea', contextOf(call), { ...call.params, ...call.body }),
    deleteArea: (call) => box.write('deleteArea', contextOf(call), call.params),
    listFloors: (call) => box.read('listFloors', contextOf(call), call.query),
    createFloor: (call) => box.write('createFloor', contextOf(call), call.body),
    updateFloor: (call) => box.write('updateFloor', contextOf(call), { ...call.params, ...call.body }),
    deleteFloor: (call) => box.write('deleteFloor', contextOf(call), call.params),
    putFloorPlan: async (call) => {
      const picture = await reencodePicture(call.upload?.bytes ?? Buffer.alloc(0));
      return box.write('putFloorPlan', contextOf(call), { ...call.params, ...picture });
    },
    getFloorPlan: async (call) => {
      const { png } = await box.read('getFloorPlan', contextOf(call), call.params);
      // The address changes with the picture, so that a browser may keep it.
      return { mediaType: 'image/png', body: Buffer.from(png), cacheSeconds: 86_400 };
    },
    listDevices: (call) => box.read('listDevices', contextOf(call), call.query),
    createDevice: (call) => box.write('createDevice', contextOf(call), call.body),
    getDevice: (call) => box.read('getDevice', contextOf(call), call.params),
    updateDevice: (call) => box.write('updateDevice', contextOf(call), { ...call.params, patch: call.body }),
    deleteDevice: (call) => box.write('deleteDevice', contextOf(call), call.params),
    previewDeviceImport: (call) =>
      box.write('importDevices', contextOf(call), { ...call.body, apply: false }),
    importDevices: (call) => box.write('importDevices', contextOf(call), { ...call.body, apply: true }),
    createEnrolmentCode: (call) => box.write('createEnrolmentCode', contextOf(call), call.params),
    revokeDeviceCertificate: (call) => box.write('revokeDeviceCertificate', contextOf(call), call.params),
    enrol: async (call) => {
      const context = { actor: { ...systemActor(''), address: call.address }, traceId: call.traceId };
      // Signed before the code is used up: a bad request must not cost the installer his code.
      const { device_id } = await box.read('findEnrolmentCode', context, { code: call.body.code });
      const issued = await ca.signRequest(call.body.csr_pem, device_id, app.clock.now());
      const enrolled = await box.write('enrolDevice', context, {
        code: call.body.code,
        serial: issued.serial,
        fingerprint_sha256: issued.fingerprintSha256,
        expires_ms: issued.expiresMs,
      });
      return {
        ...enrolled,
        certificate_pem: issued.pem,
        ca_pem: ca.caPem(),
        mqtt_url: app.config.MQTT_PUBLIC_URL,
      };
    },
    createCommand: (call) => box.write('createCommand', contextOf(call), { ...call.params, ...call.body }),
    getCommand: (call) => box.read('getCommand', contextOf(call), call.params),
    listCommands: (call) => box.read('listCommands', contextOf(call), { ...call.params, ...call.query }),
    unlockDoor: (call) => {
      const { seconds, reason, incident_id } = call.body;
      return box.write('createCommand', contextOf(call), {
        ...call.params,
        name: 'unlock',
        args: { seconds },
        reason,
        incident_id,
      });
    },
    lockDoor: (call) =>
      box.write('createCommand', contextOf(call), { ...call.params, name: 'lock', args: {}, ...call.body }),
  };
}
