/** New incidents that cameras see: what pops to the front until it is acknowledged. */
import { defineStore } from 'pinia';
import { computed, ref, watch } from 'vue';
import type { Camera } from '#features/cameras/camera-types.ts';
import { useCameras } from '#features/cameras/cameras.store.ts';
import { camerasThatSee } from '#features/cameras/sight.ts';
import { useIncidents, type Incident } from '#features/incidents/incidents.store.ts';
import { severityOrder } from '#features/alarm/alarm-policy.ts';
import { usePlaces } from '#features/places/places.store.ts';

const consoleKey = 'siphera_cameras_on_alarm';
const wallKey = 'siphera_wall_alarm';
export type Pop = { incident: Incident; cameras: Camera[] };

export const useAlarmPop = defineStore('alarm-pop', () => {
  const incidents = useIncidents();
  const cameras = useCameras();
  const places = usePlaces();
  /** In the console a person chooses it; the wall is there for it. */
  const inConsole = ref(localStorage.getItem(consoleKey) === '1');
  const onWall = ref(localStorage.getItem(wallKey) !== '0');
  watch(inConsole, (on) => localStorage.setItem(consoleKey, on ? '1' : '0'));
  watch(onWall, (on) => localStorage.setItem(wallKey, on ? '1' : '0'));

  const pops = computed<Pop[]>(() =>
    incidents.unacknowledged
      .map((incident) => ({ incident, cameras: camerasThatSee(cameras.items, incident, places.areas) }))
      .filter((pop) => pop.cameras.length > 0)
      .sort(
        (a, b) =>
          severityOrder.indexOf(b.incident.severity) - severityOrder.indexOf(a.incident.severity) ||
          b.incident.opened_at.localeCompare(a.incident.opened_at),
      ),
  );
  function ensure(): Promise<unknown> {
    return Promise.all([incidents.ensure(), places.ensureAreas()]);
  }
  return { pops, inConsole, onWall, ensure };
});
