import { expect, it } from 'vitest';
import { zoomAt, panBy, wholePicture } from '#features/cameras/digital-zoom.ts';
import { camerasThatSee } from '#features/cameras/sight.ts';
import { pickStream } from '#features/cameras/use-live.ts';

const areas = [
  { id: 'site', parent_id: null, name: 'Yard' },
  { id: 'dock', parent_id: 'site', name: 'Dock' },
  { id: 'lobby', parent_id: null, name: 'Lobby' },
];
const camera = (
  id: string,
  area_id: string,
  watches: { area_ids?: string[]; device_ids?: string[] } = {},
) => ({
  id,
  area_id,
  watches: { area_ids: watches.area_ids ?? [], device_ids: watches.device_ids ?? [] },
});

it('finds the cameras of the place, those that watch it or its device, and those above it', () => {
  const cameras = [
    camera('own', 'dock'),
    camera('above', 'lobby', { area_ids: ['site'] }),
    camera('device', 'lobby', { device_ids: ['door'] }),
    camera('other', 'lobby'),
  ];
  const incident = { area_id: 'dock', device_id: 'door', device_ids: ['door'] };
  expect(camerasThatSee(cameras, incident, areas).map((one) => one.id)).toEqual(['own', 'above', 'device']);
});

it('puts the camera that raised it first', () => {
  const cameras = [camera('a', 'dock'), camera('b', 'dock')];
  const incident = { area_id: 'dock', device_id: 'b', device_ids: [] };
  expect(camerasThatSee(cameras, incident, areas).map((one) => one.id)).toEqual(['b', 'a']);
});

it('takes the small stream for small tiles only', () => {
  const streams = [
    { role: 'main', width: 1920 },
    { role: 'sub', width: 640 },
  ];
  expect(pickStream(streams, 'auto', 500)).toBe('sub');
  expect(pickStream(streams, 'auto', 1_400)).toBe('main');
  expect(pickStream(streams, 'main', 100)).toBe('main');
  expect(pickStream([{ role: 'main', width: 1920 }], 'sub', 100)).toBe('main');
});

it('enlarges around the pointer and stays inside the picture', () => {
  const view = zoomAt(wholePicture, 2, 0.5, 0.5);
  expect(view).toEqual({ scale: 2, x: -0.5, y: -0.5 });
  expect(panBy(view, -5, 5)).toEqual({ scale: 2, x: -1, y: 0 });
  expect(zoomAt(view, 0.1, 0.2, 0.9)).toEqual({ scale: 1, x: 0, y: 0 });
});
