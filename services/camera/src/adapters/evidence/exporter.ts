/**
 * Makes exports, one after the other: each camera's footage as MP4, hashed and put into a zip, with a signed manifest at the
 * end. An export that a restart interrupts is made again from its beginning. The zip appears under its name only when whole.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { evidenceFiles, type EvidenceManifest } from '@siphera/contract';
import { AppError, type Clock, type Logger } from '@siphera/runtime';
import {
  explained,
  uncovered,
  type FootageRun,
  type Gap,
  type KeptFootage,
} from '../../domain/kept-footage.ts';
import {
  buildManifest,
  pathOf,
  readmeText,
  type ExportedFile,
  type ManifestDraft,
} from '../../domain/manifest.ts';
import { fileTime } from '../../domain/zoned-time.ts';
import type { CoreOutbox } from '../../ground.ts';
import type { ExportRow, ExportStore } from '../../store/export.store.ts';
import type { ExpiryClock } from '../expiry-clock.ts';
import { syncDirectory } from './durable-file.ts';
import { ExportZip } from './export-zip.ts';
import { writeMp4 } from './mp4-file.ts';
import type { SigningKey } from './signing-key.ts';

/** Left free whatever is exported: camera.db lies on the same disk. */
const headRoomBytes = 1024 ** 3;
/** All exports together: they are copies, and footage needs the disk more. */
const keptBytesMax = 500 * 1024 ** 3;
/** Less than this is no gap but the seam of two fragments. */
const gapMsMin = 1_500;
const sweepMs = 60_000;
const progressEveryMs = 500;

export type ExporterOptions = {
  directory: string;
  store: ExportStore;
  footage: KeptFootage;
  key: SigningKey;
  ffmpeg: string;
  boxName: string;
  software: string;
  outbox: CoreOutbox;
  clock: Clock;
  expiry: Pick<ExpiryClock, 'now'>;
  log: Logger;
};

type Made = { bytes: number; sha256: string; problem: string | null };

export class Exporter {
  readonly #options: ExporterOptions;
  #abort = new AbortController();
  #current: string | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: ExporterOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o750 });
    options.store.releaseEnded();
    for (const row of options.store.running()) options.store.hold(row);
    // What is not the zip of a finished export was left by a crash.
    for (const name of readdirSync(options.directory))
      if (options.store.get(name.replace(/\.zip$/, ''))?.state !== 'ready')
        rmSync(join(options.directory, name), { recursive: true, force: true });
  }

  start(): void {
    const turn = (): void => {
      this.#sweep().catch((error: unknown) => this.#options.log.error('exports_not_swept', { error }));
      this.wake();
    };
    this.#timer = setInterval(turn, sweepMs);
    turn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#abort.abort();
    await this.#running;
  }

  file(id: string): string {
    return join(this.#options.directory, `${id}.zip`);
  }

  /** @throws AppError `disk_full` when there is no room for that much. */
  async checkRoom(cameraIds: readonly string[], fromMs: number, toMs: number): Promise<void> {
    const { footage, store } = this.#options;
    const each: number[] = [];
    for (const id of cameraIds) {
      each.push(bytesOf(footage.runs(id, fromMs, toMs)));
      await breath();
    }
    // The zip, and beside it the one file that is just made (twice, while ffmpeg moves its index to the front).
    const needed = each.reduce((sum, bytes) => sum + bytes, 0) + 2 * Math.max(0, ...each);
    const free = await this.#freeBytes();
    if (needed > free - headRoomBytes)
      throw new AppError('disk_full', `The export needs ${inGb(needed)} and ${inGb(free)} are free.`, {
        hint: 'Export less at once, or remove older exports.',
      });
    if (needed + store.bytesKept() > keptBytesMax)
      throw new AppError('disk_full', `Exports would take more than ${inGb(keptBytesMax)} together.`, {
        hint: 'Remove older exports.',
      });
  }

  /** There is an export to make. */
  wake(): void {
    if (this.#running || this.#stopped) return;
    this.#running = this.#work()
      .catch((error: unknown) => this.#options.log.error('exporter_failed', { error }))
      .finally(() => (this.#running = undefined));
  }

  /** Removes an export, also one that is just made. */
  async remove(id: string): Promise<void> {
    this.#options.store.remove(id);
    if (this.#current === id) this.#abort.abort();
    await rm(this.file(id), { force: true });
  }

  async #work(): Promise<void> {
    for (;;) {
      const [row] = this.#options.store.running();
      if (!row || this.#stopped) return;
      this.#abort = new AbortController();
      this.#current = row.id;
      await this.#make(row);
      this.#current = undefined;
    }
  }

  async #make(row: ExportRow): Promise<void> {
    const { clock, log, store } = this.#options;
    const startedMs = clock.monotonic();
    const scratch = join(this.#options.directory, `${row.id}.part`);
    const made = await this.#tryToMake(row, scratch);
    await rm(scratch, { recursive: true, force: true });
    // It was removed meanwhile.
    if (store.get(row.id) === undefined) return rm(this.file(row.id), { force: true });
    if (made instanceof Error) {
      // Stopping: the row stays `running` and is taken up at the next start.
      if (this.#stopped) return;
      log.error('export_failed', { error: made, export_id: row.id });
      store.fail(row.id, wordsOf(made));
      return;
    }
    store.finish(row.id, made);
    this.#note(row, made);
    log.info('export_ready', { export_id: row.id, bytes: made.bytes, ms: clock.monotonic() - startedMs });
  }

  async #tryToMake(row: ExportRow, scratch: string): Promise<Made | Error> {
    try {
      await rm(scratch, { recursive: true, force: true });
      await mkdir(scratch, { mode: 0o750 });
      const made = await this.#build(row, scratch);
      await rename(join(scratch, 'export.zip'), this.file(row.id));
      await syncDirectory(this.#options.directory);
      return made;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #build(row: ExportRow, scratch: string): Promise<Made> {
    const { boxName, clock, footage, key, software } = this.#options;
    const plan: Planned[] = [];
    for (const camera of row.cameras) {
      const runs = footage.runs(camera.id, row.from_ms, row.to_ms);
      const missing = uncovered(runs, row.from_ms, row.to_ms, gapMsMin);
      plan.push({ camera, runs, gaps: explained(missing, footage.gaps(camera.id, row.from_ms, row.to_ms)) });
      await breath();
    }
    if (plan.every(({ runs }) => runs.length === 0))
      throw new AppError(
        'not_found',
        `There is no footage of that time. ${plan[0]?.gaps[0]?.why ?? ''}`.trim(),
      );
    const zip = new ExportZip(join(scratch, 'export.zip'), clock.now());
    try {
      const files = await this.#addFootage(row, plan, zip, scratch);
      const draft = buildManifest({
        boxName,
        software,
        fingerprint: key.fingerprint,
        madeMs: clock.now(),
        export: {
          id: row.id,
          name: row.name,
          reason: row.reason,
          incidentId: row.incident_id,
          fromMs: row.from_ms,
          toMs: row.to_ms,
          createdMs: row.created_ms,
          actor: row.actor,
        },
        cameras: plan.map(({ camera, gaps }) => ({ ...camera, timeZone: camera.time_zone, gaps })),
        files,
      });
      addManifest(zip, draft, key);
      return { ...(await zip.end()), problem: problemOf(plan) };
    } finally {
      zip.destroy();
    }
  }

  async #addFootage(
    row: ExportRow,
    plan: readonly Planned[],
    zip: ExportZip,
    scratch: string,
  ): Promise<ExportedFile[]> {
    const { clock, ffmpeg, footage, store } = this.#options;
    const total = Math.max(1, bytesOf(plan.flatMap(({ runs }) => runs)));
    const files: ExportedFile[] = [];
    const names = new Set<string>();
    let done = 0;
    let saidAt = -Infinity;
    const onBytes = (bytes: number): void => {
      done += bytes;
      if (clock.monotonic() - saidAt < progressEveryMs) return;
      saidAt = clock.monotonic();
      // What is left at the end is hashing, signing and making it durable.
      store.progress(row.id, (done / total) * 0.98);
    };
    for (const [index, { camera, runs }] of plan.entries())
      for (const run of runs) {
        const path = free(names, pathOf(camera, index, run, fileTime(run.fromMs, camera.time_zone)));
        const file = join(scratch, 'footage.mp4');
        await writeMp4({ ffmpeg, footage, run, path: file, signal: this.#abort.signal, onBytes });
        files.push({ run, path, ...(await zip.addFile(file, path)) });
        await rm(file, { force: true });
        const freeBytes = await this.#freeBytes();
        if (freeBytes < headRoomBytes / 2)
          throw new AppError('disk_full', `The disk of exports is nearly full: ${inGb(freeBytes)} are free.`);
      }
    return files;
  }

  /** Who asked stands in the audit already; this ties what they got to it. */
  #note(row: ExportRow, made: Made): void {
    this.#options.outbox.audit({
      actor: row.actor,
      org_id: row.org_id,
      action: 'export.ready',
      target: `export:${row.id}`,
      detail: {
        sha256: made.sha256,
        bytes: made.bytes,
        key_fingerprint_sha256: this.#options.key.fingerprint,
        ...(made.problem === null ? {} : { problem: made.problem }),
      },
    });
  }

  async #sweep(): Promise<void> {
    const { expiry, log, store } = this.#options;
    for (const id of store.expired(expiry.now())) {
      await this.remove(id);
      log.info('export_expired', { export_id: id });
    }
  }

  async #freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.directory);
    return bavail * bsize;
  }
}

function addManifest(zip: ExportZip, draft: ManifestDraft, key: SigningKey): void {
  const readme = Buffer.from(readmeText(draft));
  const manifest: EvidenceManifest = {
    ...draft,
    readme_sha256: createHash('sha256').update(readme).digest('hex'),
  };
  const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
  zip.addBuffer(bytes, evidenceFiles.manifest);
  zip.addBuffer(key.sign(bytes), evidenceFiles.signature);
  zip.addBuffer(Buffer.from(key.publicPem), evidenceFiles.publicKey);
  zip.addBuffer(readme, evidenceFiles.readme);
}

/** A day of one camera is thousands of rows to read: recording goes on in between. */
const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type Planned = { camera: ExportRow['cameras'][number]; runs: FootageRun[]; gaps: Gap[] };

const bytesOf = (runs: readonly FootageRun[]): number => runs.reduce((sum, { bytes }) => sum + bytes, 0);
const inGb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

function free(names: Set<string>, path: string): string {
  let name = path;
  for (let number = 2; names.has(name); number += 1) name = path.replace(/\.mp4$/, `_${number}.mp4`);
  names.add(name);
  return name;
}

/** Said with the finished export, so that nobody learns of a gap in court. */
function problemOf(plan: readonly Planned[]): string | null {
  const words = plan
    .filter(({ gaps }) => gaps.length > 0)
    .map(({ camera, runs }) =>
      runs.length === 0 ? `no footage of ${camera.name}` : `gaps in ${camera.name}`,
    );
  return words.length === 0
    ? null
    : `Not all of it is there: ${words.join(', ')}. The manifest says from when to when, and why.`;
}

function wordsOf(error: unknown): string {
  if (error instanceof AppError) return error.message;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return 'The disk is full.';
  if (code === 'EIO') return 'The disk failed while it was read or written.';
  if (code === 'ENOENT') return 'A piece of the footage is not on its disk any more.';
  return 'It failed inside the box; its log says why.';
}
