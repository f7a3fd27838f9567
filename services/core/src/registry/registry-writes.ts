/** All registry writes by name. */
import type { WriterDeps } from '../writer-deps.ts';
import { createCameraWrites } from './camera-writes.ts';
import { createCommandWrites } from './command-writes.ts';
import { createDeviceWrites } from './device-writes.ts';
import { createEnrolmentWrites } from './enrolment-writes.ts';
import { createImportWrites } from './import-writes.ts';
import { createPlaceWrites } from './place-writes.ts';

export const createRegistryWrites = (deps: WriterDeps) => ({
  ...createPlaceWrites(deps),
  ...createDeviceWrites(deps),
  ...createImportWrites(deps),
  ...createEnrolmentWrites(deps),
  ...createCommandWrites(deps),
  ...createCameraWrites(deps),
});
