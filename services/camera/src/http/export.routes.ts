/** Exports: asking for one, seeing how it goes, fetching it. Who holds `camera.export` on all of its cameras may see it. */
import { createReadStream } from 'node:fs';
import type { Export, FootageSettings } from '@siphera/contract';
import { AppError, toRfc3339, type Caller, type Clock, type Random } from '@siphera/runtime';
import type { Exporter } from '../adapters/evidence/exporter.ts';
import type { CameraDirectory } from '../domain/camera.ts';
import { fileTime } from '../domain/zoned-time.ts';
import type { CameraHandlers } from '../part.ts';
import type { ExportRow, ExportStore } from '../store/export.store.ts';
import { footageFor, mayOnCamera, mayOnOrg } from './access.ts';
import { actorOf, type LookLog } from './look-log.ts';

export type ExportDeps = {
  directory: CameraDirectory;
  store: ExportStore;
  exporter: Exporter;
  looks: LookLog;
  settings(): FootageSettings;
  feedPosition(): number;
  clock: Clock;
  random: Random;
};
type Names = 'listExports' | 'createExport' | 'getExport' | 'getExportFile' | 'deleteExport';

const dayMs = 86_400_000;
const exportMsMax = dayMs;
const keptMs = 7 * dayMs;
/** Exports that wait for their turn. */
const waitingMax = 20;

export function exportHandlers(deps: ExportDeps): Pick<CameraHandlers, Names> {
  const { directory, exporter, looks, store } = deps;
  const found = (caller: Caller, id: string): ExportRow => {
    const row = store.get(id);
    if (!row || !maySee(directory, caller, row))
      throw new AppError('not_found', 'There is no such export.', {
        hint: 'Exports are removed after 7 days.',
      });
    return row;
  };
  return {
    listExports: (call) => {
      const { cursor, limit } = call.query;
      const items: ExportRow[] = [];
      let before = cursor;
      // Rows that the caller may not see are skipped, so a page may take more than one reading.
      for (;;) {
        const rows = store.list(call.caller.claims.org, before, limit + 1);
        items.push(...rows.filter((row) => maySee(directory, call.caller, row)));
        before = rows.at(-1)?.id;
        if (rows.length <= limit || items.length > limit) break;
      }
      const shown = items.slice(0, limit);
      const next = items.length > limit ? shown.at(-1)?.id : undefined;
      return Promise.resolve({
        items: shown.map(toExport),
        feed_seq: deps.feedPosition(),
        ...(next === undefined ? {} : { next_cursor: next }),
      });
    },
    createExport: (call) => create(deps, call),
    getExport: (call) => Promise.resolve(toExport(found(call.caller, call.params.id))),

    getExportFile: (call) => {
      const row = found(call.caller, call.params.id);
      if (row.state !== 'ready' || row.bytes === null)
        throw new AppError(
          'unprocessable',
          row.state === 'running'
            ? 'The export is not ready yet.'
            : `The export failed: ${row.problem ?? ''}`,
        );
      looks.act(call, 'export.downloaded', `export:${row.id}`, { name: row.name, sha256: row.sha256 });
      call.response.setHeader('content-length', String(row.bytes));
      const zone = row.cameras[0]?.time_zone ?? 'UTC';
      return Promise.resolve({
        mediaType: 'application/zip',
        fileName: `siphera-${fileTime(row.from_ms, zone)}-${row.id.slice(-6)}.zip`,
        body: createReadStream(exporter.file(row.id)),
      });
    },

    deleteExport: async (call) => {
      const row = found(call.caller, call.params.id);
      looks.act(call, 'export.deleted', `export:${row.id}`, { name: row.name });
      await exporter.remove(row.id);
    },
  };
}

async function create(
  deps: ExportDeps,
  call: Parameters<CameraHandlers['createExport']>[0],
): Promise<Export> {
  const { clock, directory, exporter, looks, random, store } = deps;
  const { body, caller } = call;
  const cameras = [...new Set(body.camera_ids)].map((id) =>
    footageFor(directory, caller, 'camera.export', id),
  );
  const [fromMs, toMs] = [Date.parse(body.from), Math.min(Date.parse(body.to), clock.now())];
  if (toMs <= fromMs)
    throw new AppError('unprocessable', 'There is nothing between its beginning and its end.');
  if (toMs - fromMs > exportMsMax)
    throw new AppError('unprocessable', 'An export holds at most 24 hours of each camera.', {
      hint: 'Export day by day.',
    });
  if (deps.settings().reason_required && body.reason.trim() === '')
    throw new AppError('unprocessable', 'Say why the footage is exported.');
  if (store.running().length >= waitingMax)
    throw new AppError('overloaded', `${waitingMax} exports wait already.`, {
      hint: 'Wait for some of them, or remove them.',
    });
  await exporter.checkRoom(
    cameras.map(({ id }) => id),
    fromMs,
    toMs,
  );
  const id = random.uuid();
  const zone = cameras[0]?.timeZone ?? 'UTC';
  store.add({
    id,
    org_id: caller.claims.org,
    name:
      body.name ?? `${cameras.map(({ name }) => name).join(', ')} ${fileTime(fromMs, zone)}`.slice(0, 120),
    cameras: cameras.map((camera) => ({
      id: camera.id,
      name: camera.name,
      area: camera.areaName,
      time_zone: camera.timeZone,
    })),
    from_ms: fromMs,
    to_ms: toMs,
    reason: body.reason,
    incident_id: body.incident_id,
    created_ms: clock.now(),
    actor: actorOf(call),
    expires_ms: clock.now() + keptMs,
  });
  looks.act(call, 'export.created', `export:${id}`, {
    camera_ids: cameras.map((camera) => camera.id),
    from: toRfc3339(fromMs),
    to: toRfc3339(toMs),
    reason: body.reason,
    ...(body.incident_id === null ? {} : { incident_id: body.incident_id }),
  });
  exporter.wake();
  return toExport(store.get(id) as ExportRow);
}

/** Its cameras as they are now: who lost the right on one of them sees the export no more. */
function maySee(directory: CameraDirectory, caller: Caller, row: ExportRow): boolean {
  if (row.org_id !== caller.claims.org) return false;
  return row.cameras.every(({ id }) => {
    const camera = directory.get(id);
    return camera ? mayOnCamera(caller, 'camera.export', camera) : mayOnOrg(caller, 'camera.export');
  });
}

const toExport = (row: ExportRow): Export => ({
  id: row.id,
  name: row.name,
  camera_ids: row.cameras.map(({ id }) => id),
  from: toRfc3339(row.from_ms),
  to: toRfc3339(row.to_ms),
  reason: row.reason,
  incident_id: row.incident_id,
  state: row.state,
  progress: row.progress,
  problem: row.problem,
  bytes: row.bytes,
  sha256: row.sha256,
  created_at: toRfc3339(row.created_ms),
  created_by: row.created_by,
  expires_at: toRfc3339(row.expires_ms),
});
