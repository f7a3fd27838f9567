/** Layouts that were saved, own and shared. */
import { api } from '#api/client.ts';
import type { WallLayout } from '#features/cameras/camera-types.ts';
import { toTiles, type Wall } from '#features/wall/wall-layout.ts';
import { useAct } from '#ui/use-act.ts';
import { useResource } from '#ui/use-resource.ts';

export function useLayouts() {
  const { run, busy } = useAct();
  const read = useResource(async () => (await api('listWallLayouts')).items);
  const bodyOf = (wall: Wall, name: string, shared: boolean) => ({
    name,
    shared,
    columns: wall.columns,
    rows: wall.rows,
    tiles: toTiles(wall),
  });
  return {
    items: read.data,
    busy,
    reload: read.reload,
    create: async (wall: Wall, name: string, shared: boolean): Promise<WallLayout | undefined> => {
      let made: WallLayout | undefined;
      await run(async () => {
        made = await api('createWallLayout', { body: bodyOf(wall, name, shared) });
      });
      await read.reload();
      return made;
    },
    save: async (layout: WallLayout, wall: Wall, done: string): Promise<void> => {
      await run(
        () =>
          api('putWallLayout', { params: { id: layout.id }, body: bodyOf(wall, layout.name, layout.shared) }),
        done,
      );
      await read.reload();
    },
    remove: async (layout: WallLayout): Promise<void> => {
      await run(() => api('deleteWallLayout', { params: { id: layout.id } }));
      await read.reload();
    },
  };
}
