/** Which cameras a list shows. Pure. */
import type { Camera } from '#features/cameras/camera-types.ts';

export type StateFilter = '' | 'online' | 'recording' | 'trouble' | 'disabled';
export type CameraFilter = { q: string; state: StateFilter; areas: ReadonlySet<string> | undefined };

export const isInTrouble = ({ enabled, state }: Camera): boolean =>
  enabled &&
  (state.connection === 'offline' || state.connection === 'unauthorised' || state.recording === 'lost');

function hasState(camera: Camera, wanted: StateFilter): boolean {
  if (wanted === 'online') return camera.state.connection === 'online';
  if (wanted === 'recording') return camera.state.recording === 'recording';
  if (wanted === 'trouble') return isInTrouble(camera);
  if (wanted === 'disabled') return !camera.enabled;
  return true;
}

export function filterCameras(cameras: readonly Camera[], filter: CameraFilter): Camera[] {
  const words = filter.q.trim().toLocaleLowerCase().split(/\s+/);
  return cameras.filter((camera) => {
    const text = [
      camera.name,
      camera.area_name,
      camera.address,
      camera.manufacturer,
      camera.model,
      camera.serial,
      camera.mac,
    ]
      .join(' ')
      .toLocaleLowerCase();
    return (
      words.every((word) => text.includes(word)) &&
      hasState(camera, filter.state) &&
      (!filter.areas || filter.areas.has(camera.area_id))
    );
  });
}
