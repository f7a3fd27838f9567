/**
 * Who may do what with which camera. The first statement of each use case asks here: what the caller may not see does not
 * exist; what may be seen but not used so is forbidden. Checked by the scopes that core's registry gives the camera.
 */
import { isGranted, type Permission } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import type { CameraDirectory, FootageCamera, KnownCamera } from '../domain/camera.ts';

/** Whoever holds one of these on a camera knows that it is there. */
const seeing = [
  'camera.live',
  'camera.playback',
  'camera.export',
  'camera.ptz',
  'camera.manage',
] as const satisfies readonly Permission[];

export const mayOnCamera = (
  { claims }: Caller,
  permission: Permission,
  camera: Pick<KnownCamera, 'orgId' | 'scopes'>,
): boolean => camera.orgId === claims.org && isGranted(claims.grants, permission, camera.scopes);

/** @throws AppError `not_found` when it is not there or not the caller's to see, `forbidden` when this is not allowed on it. */
export function cameraFor(
  directory: CameraDirectory,
  caller: Caller,
  permission: Permission,
  id: string,
): KnownCamera {
  return allowed(caller, permission, directory.get(id));
}

/**
 * The same for footage, which a camera leaves when it is removed: then it is for those who may on the whole organisation.
 * @throws AppError as `cameraFor`.
 */
export function footageFor(
  directory: CameraDirectory,
  caller: Caller,
  permission: Permission,
  id: string,
): FootageCamera {
  const gone = directory.removed(id);
  return allowed(caller, permission, gone ? { ...gone, scopes: [`org:${gone.orgId}`] } : directory.get(id));
}

/** Cameras on which the caller holds the permission. */
export const camerasFor = (
  directory: CameraDirectory,
  caller: Caller,
  permission: Permission,
): readonly KnownCamera[] => directory.all().filter((camera) => mayOnCamera(caller, permission, camera));

export const mayOnOrg = ({ claims }: Caller, permission: Permission): boolean =>
  isGranted(claims.grants, permission, [`org:${claims.org}`]);

/** @throws AppError `forbidden` when the caller does not hold the permission on the whole organisation. */
export function requireOnOrg(caller: Caller, permission: Permission): void {
  if (!mayOnOrg(caller, permission))
    throw new AppError('forbidden', `This needs the permission ${permission} on the whole organisation.`);
}

function allowed<T extends FootageCamera>(caller: Caller, permission: Permission, camera: T | undefined): T {
  if (!camera || !seeing.some((one) => mayOnCamera(caller, one, camera)))
    throw new AppError('not_found', 'There is no such camera.');
  if (!mayOnCamera(caller, permission, camera))
    throw new AppError('forbidden', `This needs the permission ${permission} on "${camera.name}".`);
  return camera;
}
