/** Cameras as the REST API shows them. Passwords never leave. */
import type { Camera, CameraState } from '@siphera/contract';
import type { CameraRow } from '../domain/camera-row.ts';
import type { KnownCamera } from '../domain/camera.ts';

export const toCamera = (row: CameraRow, known: KnownCamera, state: CameraState): Camera => ({
  id: row.id,
  org_id: known.orgId,
  site_id: known.siteId,
  area_id: known.areaId,
  area_name: known.areaName,
  name: known.name,
  enabled: row.enabled,
  connection: row.connection,
  address: row.address,
  onvif_url: row.onvifUrl,
  username: row.credentials?.username ?? null,
  password_set: row.credentials !== null,
  manufacturer: row.manufacturer,
  model: row.model,
  firmware: row.firmware,
  serial: row.serial,
  mac: row.mac,
  profiles: row.profiles,
  streams: row.streams,
  has_ptz: row.hasPtz,
  relays: row.relays,
  inputs: row.inputs,
  recording: row.recording,
  motion_hold_ms: row.motionHoldMs,
  watches: row.watches,
  state: row.enabled ? state : { ...state, connection: 'disabled' },
  revision: row.revision,
});
