/** Storages over REST: for those who manage the cameras of the whole organisation. */
import { AppError, type Caller } from '@siphera/runtime';
import { errorCode } from '../adapters/recorder/files.ts';
import type { Recorder } from '../adapters/recorder/recorder.ts';
import { checkStoragePath } from '../adapters/recorder/storage-path.ts';
import type { OpenStorage } from '../adapters/recorder/storages.ts';
import type { Forecast } from '../domain/forecast.ts';
import type { Ground } from '../ground.ts';
import type { CameraHandlers } from '../part.ts';
import { requireOnOrg } from './access.ts';
import { auditOf } from './audit.ts';
import { toForecast } from './footage-wire.ts';

type StorageHandlers = Pick<
  CameraHandlers,
  'listStorages' | 'createStorage' | 'updateStorage' | 'deleteStorage' | 'forecastStorage'
>;

export function storageHandlers({
  ground,
  recorder,
}: {
  ground: Ground;
  recorder: Recorder;
}): StorageHandlers {
  const { storages, forecaster } = recorder;
  const find = (id: string): OpenStorage => {
    const storage = storages.get(id);
    if (!storage) throw new AppError('not_found', 'There is no such storage.');
    return storage;
  };
  const audit = (caller: Caller, action: string, id: string, detail: Record<string, unknown>): void =>
    auditOf(ground.outbox, caller, { action, target: `camera_storage:${id}`, detail });
  return {
    listStorages: async ({ caller }) => {
      requireOnOrg(caller, 'camera.manage');
      await storages.check();
      const items = storages.all().map((storage) => storages.shown(storage));
      return { items, forecast: toForecast(forecaster.forecast()) };
    },

    createStorage: async ({ caller, body }) => {
      requireOnOrg(caller, 'camera.manage');
      const taken = storages.all().map((storage) => storage.row.path);
      const path = await checkStoragePath(body.path, ground.config.STORAGE_ROOTS, taken);
      const { name, quota_bytes: quotaBytes, head_room_bytes: headRoomBytes } = body;
      const storage = await asAppError(storages.add({ name, path, quotaBytes, headRoomBytes }), path);
      audit(caller, 'camera_storage.create', storage.row.id, { name, path });
      return storages.shown(storage);
    },

    updateStorage: async ({ caller, params, body }) => {
      requireOnOrg(caller, 'camera.manage');
      const storage = find(params.id);
      const { accept_disk: acceptDisk, ...change } = body;
      storages.change(storage, withoutUndefined(change));
      if (acceptDisk) await asAppError(storages.acceptDisk(storage), storage.row.path);
      audit(caller, 'camera_storage.update', storage.row.id, body);
      return storages.shown(storage);
    },

    deleteStorage: async ({ caller, params }) => {
      requireOnOrg(caller, 'camera.manage');
      const storage = find(params.id);
      storages.remove(storage);
      audit(caller, 'camera_storage.delete', storage.row.id, {
        name: storage.row.name,
        path: storage.row.path,
      });
    },

    forecastStorage: async ({ caller, body }) => {
      requireOnOrg(caller, 'camera.manage');
      const asked: Forecast = forecaster.forecast({
        bitratesBps: body.bitrates_bps,
        dayShare: body.hours_per_day / 24,
      });
      return toForecast(asked);
    },
  };
}

/** What a directory refuses is the admin's to solve, in words. */
async function asAppError<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AppError || errorCode(error) === undefined) throw error;
    throw new AppError('validation_failed', `${path} cannot be used: ${errorCode(error) ?? ''}.`, {
      hint: 'The directory must be writable for the user of the service (siphera).',
      cause: error,
    });
  }
}

const withoutUndefined = <T extends object>(change: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
