/**
 * The directories that take footage, and how each is now. What must stay true: nothing is written to a directory whose
 * identity file is not the one we put there; a storage that fails is told once, and comes back by itself.
 */
import { join } from 'node:path';
import { AppError } from '@siphera/runtime';
import type { RecordingPolicy, Storage } from '@siphera/contract';
import { sitesOf, storageEvent } from '../../domain/footage-event.ts';
import { pickStorage, type StorageView } from '../../domain/pick-storage.ts';
import type { Ground } from '../../ground.ts';
import type { SegmentStore } from '../../store/segment.store.ts';
import type { StorageRow, StorageStore } from '../../store/storage.store.ts';
import { endsWithin } from './ends-within.ts';
import { errorCode, type Files } from './files.ts';

/** In the root of each storage: whose it is. */
export const identityFile = '.siphera-storage';
const probeFile = '.siphera-probe';
const identity = /"storage":\s*"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/;
/** What lies in an empty storage: of the file system, or ours and left by a power cut. */
export const isLeftover = (name: string): boolean =>
  name === 'lost+found' || name === `${identityFile}.new` || name.startsWith(probeFile);
/** Below this a storage is full whatever its head-room says: an index, a log and an export need something too. */
const fullBytes = 4 * 1_024 * 1_024;
/** Kept free whatever the head-room says, so that a disk does not become full while its oldest could go. */
export const leastFreeBytes = 4 * fullBytes;
const headRoomBytesMax = 10 * 1_024 ** 3;
/** A disk that does not answer in this time hangs: one that sleeps is awake by then. */
const answerMsMax = 10_000;
/** A storage that failed is tried again this often. */
const retryMs = 10_000;

export type StorageParts = { ground: Ground; files: Files; store: StorageStore; segments: SegmentStore };

type NewStorage = {
  name: string;
  path: string;
  quotaBytes: number | null;
  headRoomBytes?: number | undefined;
};

type Trouble = { state: 'full' | 'missing' | 'failed'; problem: string };

export class OpenStorage {
  row: StorageRow;
  trouble: Trouble | undefined;
  totalBytes = 0;
  freeBytes = 0;
  /** Monotonic time of the last try after a failure. */
  triedMs = -Infinity;
  /** The look under way, and whether it took too long: until it ends there is no other. */
  looking: Promise<void> | undefined;
  hangs = false;
  readonly #used = new Map<string, number>();

  constructor(row: StorageRow) {
    this.row = row;
  }

  get usedBytes(): number {
    let total = 0;
    for (const bytes of this.#used.values()) total += bytes;
    return total;
  }

  usedBy(cameraId: string): number {
    return this.#used.get(cameraId) ?? 0;
  }

  written(cameraId: string, bytes: number): void {
    this.#used.set(cameraId, Math.max(0, this.usedBy(cameraId) + bytes));
    this.freeBytes = Math.max(0, this.freeBytes - bytes);
  }

  /** Nothing can be read on it now. A full disk can be read, and what lies on it must be known to be deleted. */
  get isAway(): boolean {
    return this.trouble !== undefined && this.trouble.state !== 'full';
  }

  view(): StorageView {
    return {
      id: this.row.id,
      isUsable: this.trouble === undefined,
      freeBytes: this.freeBytes,
      headRoomBytes: this.row.head_room_bytes,
      quotaBytes: this.row.quota_bytes,
      usedBytes: this.usedBytes,
    };
  }
}

export class Storages {
  readonly #parts: StorageParts;
  readonly #all = new Map<string, OpenStorage>();
  #checking: Promise<void> | undefined;

  constructor(parts: StorageParts) {
    this.#parts = parts;
  }

  /** Makes the first storage at the first start, and looks at all of them. Waits for no disk that hangs. */
  async start(): Promise<void> {
    const { store, segments, ground } = this.#parts;
    for (const row of store.all()) this.#all.set(row.id, new OpenStorage(row));
    for (const { camera_id, storage_id, bytes } of segments.totals())
      this.#all.get(storage_id)?.written(camera_id, bytes);
    if (this.#all.size === 0) {
      const path = ground.config.RECORDINGS_DIR;
      const taking = this.#takeFirst(path);
      if (!(await endsWithin(taking, answerMsMax))) {
        ground.log.error('first_storage_hangs', { path });
        taking.catch((error: unknown) => ground.log.error('first_storage_not_taken', { path, error }));
      }
    }
    await this.check();
  }

  all(): OpenStorage[] {
    return [...this.#all.values()];
  }

  get(id: string): OpenStorage | undefined {
    return this.#all.get(id);
  }

  choose(policy: Pick<RecordingPolicy, 'storage_id'>): OpenStorage | undefined {
    const id = pickStorage(
      this.all().map((storage) => storage.view()),
      policy.storage_id,
    );
    return id === undefined ? undefined : this.#all.get(id);
  }

  usedBy(cameraId: string): number {
    return this.all().reduce((sum, storage) => sum + storage.usedBy(cameraId), 0);
  }

  /** Takes a directory as storage. @throws AppError when it is not empty or cannot be written. */
  async add(input: NewStorage): Promise<OpenStorage> {
    const { files, ground } = this.#parts;
    await files.makeDirectory(input.path);
    const names = (await files.list(input.path)).map((entry) => entry.name);
    // The identity alone is what a power cut leaves between it and its row.
    const known = names.includes(identityFile) ? await this.#identityOf(input.path) : undefined;
    const isTaken = known === undefined ? names.includes(identityFile) : this.#all.has(known);
    if (isTaken || names.some((name) => name !== identityFile && !isLeftover(name)))
      throw new AppError('conflict', `${input.path} is not empty.`, {
        hint: 'Make an empty directory for footage.',
      });
    const id = known ?? ground.random.uuid();
    if (known === undefined) await this.#identify(input.path, id);
    return this.#insert(input, id);
  }

  /**
   * The directory of the configuration. One that is ours already, of an earlier box or a lost database, is taken with all that
   * lies in it: its files get their rows again when they are compared.
   */
  async #takeFirst(path: string): Promise<void> {
    const { files, ground } = this.#parts;
    const input = { name: 'Footage', path, quotaBytes: null };
    await files.makeDirectory(path);
    const id = await this.#identityOf(path);
    if (id === undefined) await this.add(input);
    else {
      ground.log.warn('storage_taken_again', { storage: id, path });
      await this.#insert(input, id);
    }
  }

  async #insert(input: NewStorage, id: string): Promise<OpenStorage> {
    const { files, store, ground } = this.#parts;
    const { totalBytes } = await files.space(input.path);
    const row: StorageRow = {
      id,
      name: input.name,
      path: input.path,
      head_room_bytes: input.headRoomBytes ?? Math.min(headRoomBytesMax, Math.floor(totalBytes / 20)),
      quota_bytes: input.quotaBytes,
      created_ms: ground.clock.now(),
      failed_ms: null,
    };
    store.insert(row);
    const storage = new OpenStorage(row);
    this.#all.set(id, storage);
    await this.#look(storage);
    return storage;
  }

  change(
    storage: OpenStorage,
    change: Partial<Pick<StorageRow, 'name' | 'head_room_bytes' | 'quota_bytes'>>,
  ): void {
    storage.row = { ...storage.row, ...change };
    this.#parts.store.update(storage.row);
  }

  /** The disk was swapped on purpose: it is ours from now on. */
  async acceptDisk(storage: OpenStorage): Promise<void> {
    await this.#identify(storage.row.path, storage.row.id);
    // A look under way may have read what lay there before.
    if (storage.looking) await this.#look(storage);
    await this.#look(storage);
  }

  /** @throws AppError when footage lies on it, or it is the last. */
  remove(storage: OpenStorage): void {
    if (this.#all.size === 1) throw new AppError('conflict', 'The last storage stays.');
    if (!this.#parts.store.remove(storage.row.id))
      throw new AppError('conflict', 'Footage still lies on this storage.', {
        hint: 'Give its cameras another storage and let the retention of what lies here end.',
      });
    this.#all.delete(storage.row.id);
  }

  /** Whether the disk that lies there now is the storage's: what is not found on another is not lost. */
  async isThere(storage: OpenStorage): Promise<boolean> {
    return (await this.#identityOf(storage.row.path)) === storage.row.id;
  }

  /** Looks at every disk; called every few seconds. One look at a time, each for a bounded time: a disk that hangs neither piles them up nor holds up the others. */
  check(): Promise<void> {
    this.#checking ??= this.#checkAll().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** A write failed: what the storage is now follows from the error. */
  failed(storage: OpenStorage, error: unknown): void {
    const code = errorCode(error);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      this.#set(storage, {
        state: 'full',
        problem: 'The disk is full, and nothing on it may be deleted yet.',
      });
    else
      this.#set(storage, {
        state: 'failed',
        problem: `The disk does not take footage (${code ?? 'unknown error'}). Look at its cable and its health.`,
      });
  }

  shown(storage: OpenStorage): Storage {
    const { row, trouble, totalBytes, freeBytes, usedBytes } = storage;
    return {
      id: row.id,
      name: row.name,
      path: row.path,
      state: trouble?.state ?? 'ok',
      problem: trouble?.problem ?? null,
      total_bytes: totalBytes,
      free_bytes: freeBytes,
      used_bytes: usedBytes,
      head_room_bytes: row.head_room_bytes,
      quota_bytes: row.quota_bytes,
    };
  }

  async #checkAll(): Promise<void> {
    await Promise.all(this.all().map((storage) => this.#look(storage)));
  }

  /** Undefined when there is none, or it is none of ours. */
  async #identityOf(path: string): Promise<string | undefined> {
    try {
      return identity.exec(await this.#parts.files.readText(join(path, identityFile)))?.[1];
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #identify(path: string, id: string): Promise<void> {
    await this.#parts.files.writeText(join(path, identityFile), `${JSON.stringify({ storage: id })}\n`);
  }

  async #look(storage: OpenStorage): Promise<void> {
    if (storage.hangs) return;
    const looking = (storage.looking ??= this.#examine(storage).finally(() => {
      storage.looking = undefined;
      storage.hangs = false;
    }));
    if ((await endsWithin(looking, answerMsMax)) || storage.looking !== looking) return;
    storage.hangs = true;
    this.#set(storage, {
      state: 'failed',
      problem: 'The disk does not answer. Look at its cable and its health.',
    });
  }

  async #examine(storage: OpenStorage): Promise<void> {
    const trouble = await this.#troubleOf(storage);
    // A failed write is not forgotten because the directory can be listed: only a write that works ends it.
    if (trouble === undefined && storage.trouble?.state === 'failed' && !(await this.#works(storage))) return;
    this.#set(storage, trouble);
  }

  async #troubleOf(storage: OpenStorage): Promise<Trouble | undefined> {
    const { files } = this.#parts;
    const { path, id } = storage.row;
    try {
      const text = await files.readText(join(path, identityFile));
      if (!text.includes(id))
        return { state: 'missing', problem: 'Another disk lies here. Accept it, or put the right one back.' };
      const { totalBytes, freeBytes } = await files.space(path);
      storage.totalBytes = totalBytes;
      storage.freeBytes = freeBytes;
      if (freeBytes >= fullBytes) return undefined;
      return { state: 'full', problem: 'The disk is full, and nothing on it may be deleted yet.' };
    } catch (error) {
      if (errorCode(error) === 'ENOENT')
        return {
          state: 'missing',
          problem: 'The disk is not there. Look whether it is connected and mounted.',
        };
      return {
        state: 'failed',
        problem: `The disk cannot be read (${errorCode(error) ?? 'unknown error'}). Look at its cable and its health.`,
      };
    }
  }

  /** Writes and syncs a small file, now and then. */
  async #works(storage: OpenStorage): Promise<boolean> {
    const { files, ground } = this.#parts;
    if (ground.clock.monotonic() - storage.triedMs < retryMs) return false;
    storage.triedMs = ground.clock.monotonic();
    const probe = join(storage.row.path, probeFile);
    try {
      await files.writeText(probe, 'probe\n');
      await files.remove(probe);
      return true;
    } catch (error) {
      ground.log.debug('storage_still_fails', { storage: storage.row.id, error });
      return false;
    }
  }

  #set(storage: OpenStorage, trouble: Trouble | undefined): void {
    const was = storage.trouble;
    storage.trouble = trouble;
    if (was?.state === trouble?.state && (trouble !== undefined) === (storage.row.failed_ms !== null)) return;
    const { ground, store } = this.#parts;
    const nowMs = ground.clock.now();
    if (trouble && storage.row.failed_ms === null) {
      storage.triedMs = ground.clock.monotonic();
      ground.log.error('storage_failed', { storage: storage.row.id, state: trouble.state });
      this.#tell(storage, 'camera.storage_failed', nowMs, trouble.problem);
      storage.row = { ...storage.row, failed_ms: nowMs };
      store.update(storage.row);
    } else if (!trouble && storage.row.failed_ms !== null) {
      ground.log.info('storage_restored', { storage: storage.row.id });
      this.#tell(
        storage,
        'camera.storage_restored',
        storage.row.failed_ms,
        'Footage is written to it again.',
      );
      storage.row = { ...storage.row, failed_ms: null };
      store.update(storage.row);
    }
  }

  #tell(
    storage: OpenStorage,
    type: 'camera.storage_failed' | 'camera.storage_restored',
    sinceMs: number,
    reason: string,
  ): void {
    const { ground } = this.#parts;
    const what = {
      storage: storage.row.name,
      reason,
      key: `${storage.row.id}:${sinceMs}`,
      atMs: ground.clock.now(),
    };
    for (const site of sitesOf(ground.directory.all())) ground.outbox.event(storageEvent(site, type, what));
  }
}
