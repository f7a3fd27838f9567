/** Layouts of the video wall: everybody has own ones, and those that somebody shares inside the organisation. */
import type { WallLayout, WallLayoutInput } from '@siphera/contract';
import { AppError, type Caller, type Clock, type Random } from '@siphera/runtime';
import type { z } from 'zod';
import type { CameraDirectory } from '../domain/camera.ts';
import type { CameraHandlers } from '../part.ts';
import type { LayoutRow, LayoutStore } from '../store/layout.store.ts';
import { mayOnCamera } from './access.ts';

/** More than a person tells apart by name. */
const layoutsMax = 100;

export type LayoutParts = { layouts: LayoutStore; directory: CameraDirectory; clock: Clock; random: Random };
type Input = z.infer<typeof WallLayoutInput>;
type Names = 'listWallLayouts' | 'createWallLayout' | 'putWallLayout' | 'deleteWallLayout';

export function layoutHandlers(parts: LayoutParts): Pick<CameraHandlers, Names> {
  const { layouts, directory, clock, random } = parts;
  return {
    listWallLayouts: async ({ caller }) => ({
      items: layouts
        .visibleTo(caller.claims.org, caller.claims.sub)
        .map((layout) => toWire(layout, caller, directory)),
    }),

    createWallLayout: async ({ caller, body }) => {
      requireFits(body, caller, directory);
      if (layouts.countOf(caller.claims.sub) >= layoutsMax)
        throw new AppError('unprocessable', `One person keeps at most ${layoutsMax} layouts.`);
      const layout: LayoutRow = {
        ...body,
        id: random.uuid(),
        orgId: caller.claims.org,
        ownerId: caller.claims.sub,
        ownerName: caller.claims.name,
        createdMs: clock.now(),
      };
      layouts.save(layout);
      return toWire(layout, caller, directory);
    },

    putWallLayout: async ({ caller, params, body }) => {
      const own = ownLayout(layouts, caller, params.id);
      requireFits(body, caller, directory);
      const layout: LayoutRow = { ...own, ...body, ownerName: caller.claims.name };
      layouts.save(layout);
      return toWire(layout, caller, directory);
    },

    deleteWallLayout: async ({ caller, params }) => layouts.remove(ownLayout(layouts, caller, params.id).id),
  };
}

/** @throws AppError `not_found`, or `forbidden` for a shared one of somebody else. */
function ownLayout(layouts: LayoutStore, { claims }: Caller, id: string): LayoutRow {
  const layout = layouts.get(id);
  if (!layout || layout.orgId !== claims.org || (layout.ownerId !== claims.sub && !layout.shared))
    throw new AppError('not_found', 'There is no such layout.');
  if (layout.ownerId !== claims.sub)
    throw new AppError('forbidden', `The layout is ${layout.ownerName}’s.`, {
      hint: 'Keep it under another name as your own.',
    });
  return layout;
}

/** @throws AppError `unprocessable` when a tile lies outside, or shows a camera the caller does not see. */
function requireFits(body: Input, caller: Caller, directory: CameraDirectory): void {
  for (const { camera_id: id, x, y, w, h } of body.tiles) {
    if (x + w > body.columns || y + h > body.rows)
      throw new AppError('unprocessable', `A tile at ${x}, ${y} reaches out of the layout.`);
    const camera = directory.get(id);
    if (!camera || !mayOnCamera(caller, 'camera.live', camera))
      throw new AppError('unprocessable', `There is no camera ${id}.`);
  }
}

/** Tiles of cameras that the caller may not watch are left out: not even their ids are his to know. */
const toWire = (
  layout: LayoutRow,
  caller: Caller,
  directory: CameraDirectory,
): z.input<typeof WallLayout> => ({
  id: layout.id,
  name: layout.name,
  columns: layout.columns,
  rows: layout.rows,
  tiles: layout.tiles.filter((tile) => {
    const camera = directory.get(tile.camera_id);
    return camera !== undefined && mayOnCamera(caller, 'camera.live', camera);
  }),
  shared: layout.shared,
  own: layout.ownerId === caller.claims.sub,
  owner_name: layout.ownerName,
});
