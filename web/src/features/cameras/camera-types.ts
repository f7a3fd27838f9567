/** Things of the camera service's API, by the names the pages use. */
import type { Body, Item } from '#api/client.ts';

export type Camera = Item<'listCameras'>;
export type FoundCamera = Item<'discoverCameras'>;
export type ProbeReport = Item<'probeCameras'>;
export type CameraInput = Body<'createCamera'>;
export type CameraPatch = Body<'updateCamera'>;
export type Recording = Camera['recording'];
export type PtzAction = Body<'movePtz'>;
export type CameraPort = Item<'listCameraPorts'>;
export type CameraLink = Item<'listCameraLinks'>;
export type Storage = Item<'listStorages'>;
export type IncidentClip = Item<'getIncidentEvidence'>;
export type WallLayout = Item<'listWallLayouts'>;
