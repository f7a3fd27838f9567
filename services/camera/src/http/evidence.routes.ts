/** What was kept of incidents, and locks. */
import type { EvidenceLock, IncidentClip } from '@siphera/contract';
import { AppError, toRfc3339, type Caller, type Clock, type Random } from '@siphera/runtime';
import type { StillFiles } from '../adapters/evidence/still-files.ts';
import type { CameraDirectory } from '../domain/camera.ts';
import type { CameraHandlers } from '../part.ts';
import type { ClipStore } from '../store/clip.store.ts';
import type { LockRow, LockStore } from '../store/lock.store.ts';
import type { StillStore } from '../store/still.store.ts';
import { cameraFor, camerasFor, footageFor, mayOnCamera, mayOnOrg } from './access.ts';
import type { LookLog } from './look-log.ts';

export type EvidenceDeps = {
  directory: CameraDirectory;
  clips: ClipStore;
  stills: StillStore;
  locks: LockStore;
  files: StillFiles;
  looks: LookLog;
  clock: Clock;
  random: Random;
};
type Names =
  'getIncidentEvidence' | 'getStill' | 'listEvidenceLocks' | 'createEvidenceLock' | 'deleteEvidenceLock';

/** One lock holds so much at most; a year of a camera is a matter of retention. */
const lockMsMax = 31 * 86_400_000;
/** Of what cannot change, kept by the browser. */
const stillCacheSeconds = 86_400;

export function evidenceHandlers(deps: EvidenceDeps): Pick<CameraHandlers, Names> {
  const { clips, directory, files, looks, stills } = deps;
  return {
    getIncidentEvidence: (call) => {
      const seen = clips.of(call.params.id).filter((clip) => mayWatch(directory, call.caller, clip));
      if (seen.length > 0)
        looks.note(call, 'evidence.viewed', `incident:${call.params.id}`, {
          camera_ids: seen.map(({ camera_id }) => camera_id),
        });
      return Promise.resolve({ items: seen.map((clip) => toClip(clip, stills)) });
    },

    getStill: async (call) => {
      const still = stills.get(call.params.id);
      if (still?.state !== 'ready' || !mayWatch(directory, call.caller, still))
        throw new AppError('not_found', 'There is no such still.');
      const body = await files.read(still);
      if (!body) throw new AppError('gone', 'The file of this still is not there any more.');
      const clip = still.clip_id === null ? undefined : clips.get(still.clip_id);
      looks.note(call, 'evidence.viewed', clip ? `incident:${clip.incident_id}` : `still:${still.id}`, {
        camera_ids: [still.camera_id],
      });
      return { mediaType: 'image/jpeg', body, cacheSeconds: stillCacheSeconds };
    },

    ...lockHandlers(deps),
  };
}

function lockHandlers({
  clock,
  directory,
  locks,
  looks,
  random,
}: EvidenceDeps): Pick<CameraHandlers, 'listEvidenceLocks' | 'createEvidenceLock' | 'deleteEvidenceLock'> {
  return {
    listEvidenceLocks: (call) => {
      const removed = mayOnOrg(call.caller, 'camera.playback')
        ? directory.removedOf(call.caller.claims.org)
        : [];
      const seen = new Set(
        [...camerasFor(directory, call.caller, 'camera.playback'), ...removed].map(({ id }) => id),
      );
      const items = locks.all().filter((lock) => seen.has(lock.camera_id));
      return Promise.resolve({ items: items.map((lock) => toLock(lock, directory)) });
    },

    createEvidenceLock: (call) => {
      const { body } = call;
      const camera = cameraFor(directory, call.caller, 'camera.export', body.camera_id);
      const [fromMs, toMs] = [Date.parse(body.from), Date.parse(body.to)];
      if (toMs <= fromMs)
        throw new AppError('unprocessable', 'The end of the lock is not after its beginning.');
      if (toMs - fromMs > lockMsMax)
        throw new AppError('unprocessable', 'One lock holds at most 31 days of footage.');
      const untilMs = body.until === null ? null : Date.parse(body.until);
      if (untilMs !== null && untilMs <= clock.now())
        throw new AppError('unprocessable', 'The lock would be over already.');
      const lock: LockRow = {
        id: random.uuid(),
        camera_id: camera.id,
        from_ms: fromMs,
        to_ms: toMs,
        reason: body.reason,
        incident_id: body.incident_id,
        locked_by: call.caller.claims.name,
        locked_ms: clock.now(),
        until_ms: untilMs,
      };
      locks.add(lock);
      looks.act(call, 'evidence.locked', `camera:${camera.id}`, {
        lock_id: lock.id,
        from: toRfc3339(fromMs),
        to: toRfc3339(toMs),
        reason: body.reason,
        until: body.until,
        ...(body.incident_id === null ? {} : { incident_id: body.incident_id }),
      });
      return Promise.resolve(toLock(lock, directory));
    },

    deleteEvidenceLock: (call) => {
      const lock = locks.get(call.params.id);
      if (!lock) throw new AppError('not_found', 'There is no such lock.');
      const camera = footageFor(directory, call.caller, 'camera.manage', lock.camera_id);
      locks.remove(lock.id);
      looks.act(call, 'evidence.unlocked', `camera:${camera.id}`, {
        lock_id: lock.id,
        from: toRfc3339(lock.from_ms),
        to: toRfc3339(lock.to_ms),
        reason: lock.reason,
        locked_by: lock.locked_by,
      });
      return Promise.resolve();
    },
  };
}

/** A camera that was removed has no scopes any more: what is left of it is for those who may watch the whole organisation. */
function mayWatch(
  directory: CameraDirectory,
  caller: Caller,
  kept: { camera_id: string; org_id: string },
): boolean {
  const camera = directory.get(kept.camera_id);
  if (camera) return mayOnCamera(caller, 'camera.playback', camera);
  return kept.org_id === caller.claims.org && mayOnOrg(caller, 'camera.playback');
}

const toClip = (clip: ReturnType<ClipStore['of']>[number], stills: StillStore): IncidentClip => ({
  camera_id: clip.camera_id,
  camera_name: clip.camera_name,
  from: toRfc3339(clip.from_ms),
  to: toRfc3339(clip.to_ms),
  state: clip.state,
  problem: clip.problem,
  stills: stills
    .of(clip.id)
    .filter(({ state }) => state === 'ready')
    .map(({ id, at_ms }) => ({ id, at: toRfc3339(at_ms) })),
});

const toLock = (lock: LockRow, directory: CameraDirectory): EvidenceLock => ({
  id: lock.id,
  camera_id: lock.camera_id,
  camera_name: (directory.get(lock.camera_id) ?? directory.removed(lock.camera_id))?.name ?? 'Removed camera',
  from: toRfc3339(lock.from_ms),
  to: toRfc3339(lock.to_ms),
  reason: lock.reason,
  incident_id: lock.incident_id,
  locked_by: lock.locked_by,
  locked_at: toRfc3339(lock.locked_ms),
  until: lock.until_ms === null ? null : toRfc3339(lock.until_ms),
});
