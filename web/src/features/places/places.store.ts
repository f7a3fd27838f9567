/** Sites, areas and floors, live. Small lists that many pages read. */
import { defineStore } from 'pinia';
import { computed } from 'vue';
import { api, type Result } from '#api/client.ts';
import { createLiveCollection } from '#app/live-collection.ts';
import { useRealtime } from '#app/realtime.store.ts';
import { areaTree } from '#features/places/area-tree.ts';

export type Site = Result<'updateSite'>;
export type Area = Result<'updateArea'>;
export type Floor = Result<'updateFloor'>;

/** Areas and floors of one box; a building has hundreds. */
const rowsMax = 5_000;

export const usePlaces = defineStore('places', () => {
  const feed = useRealtime();
  const sites = createLiveCollection<Site>({ kind: 'site', feed, load: () => api('listSites'), rowsMax });
  const areas = createLiveCollection<Area>({ kind: 'area', feed, load: () => api('listAreas'), rowsMax });
  const floors = createLiveCollection<Floor>({ kind: 'floor', feed, load: () => api('listFloors'), rowsMax });

  return {
    sites: sites.items,
    areas: areas.items,
    areaById: areas.byId,
    floorById: floors.byId,
    floors: computed(() => [...floors.items.value].sort((a, b) => a.level - b.level)),
    floorsState: floors.state,
    floorsError: floors.error,
    reloadFloors: floors.reload,
    putFloor: floors.put,
    putArea: areas.put,
    putSite: sites.put,
    /** Areas in the order of the tree, with their depth. */
    tree: computed(() => areaTree(areas.items.value)),
    ensureSites: sites.ensure,
    ensureAreas: areas.ensure,
    ensureFloors: floors.ensure,
  };
});
