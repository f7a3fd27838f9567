/**
 * Commands that core's feed brings to cameras: record, snapshot, go to a preset. Each is answered to core. An entry may come
 * twice: recording and turning twice changes nothing, and a picture belongs to its command.
 */
import { Command, internalPaths, type FeedEntry, type FootageSettings } from '@siphera/contract';
import { AppError, type Clock, type Logger, type Random, type Sqlite } from '@siphera/runtime';
import { z } from 'zod';
import type { CameraDirectory, KnownCamera, SignalHub } from '../../domain/camera.ts';
import type { PresetMover, Snapshooter } from '../../domain/kept-footage.ts';
import { clockTime } from '../../domain/zoned-time.ts';
import type { CoreOutbox } from '../../ground.ts';
import type { ClipStore } from '../../store/clip.store.ts';
import type { StillStore } from '../../store/still.store.ts';
import type { IncidentWatch } from './incident-watch.ts';
import type { StillFiles } from './still-files.ts';

/** Core has let it expire by then: a camera must not turn minutes later. What was to be recorded is kept all the same. */
const commandLifeMs = 10_000;
const dayMs = 86_400_000;

const FedCommand = Command.extend({ incident_id: z.string().optional() });
type FedCommand = z.infer<typeof FedCommand>;
const Args = z.object({
  seconds: z.number().min(1).max(3_600).default(60),
  preset: z.string().max(64).default(''),
});

export type CommandOptions = {
  db: Sqlite;
  directory: CameraDirectory;
  clips: ClipStore;
  stills: StillStore;
  files: StillFiles;
  watch: IncidentWatch;
  signals: SignalHub;
  snapshot: Snapshooter;
  gotoPreset: PresetMover;
  settings(): FootageSettings;
  outbox: CoreOutbox;
  clock: Clock;
  random: Random;
  log: Logger;
};

export class CommandRunner {
  readonly #options: CommandOptions;
  readonly #running = new Set<Promise<void>>();

  constructor(options: CommandOptions) {
    this.#options = options;
  }

  /** Does not wait for cameras: one that does not answer must not hold up the feed. */
  hear(entries: readonly FeedEntry[]): void {
    for (const entry of entries) {
      const command = entry.action === 'created' ? FedCommand.safeParse(entry.data) : undefined;
      if (!command?.success || !isForCamera(command.data)) continue;
      const run = this.#run(command.data).finally(() => this.#running.delete(run));
      this.#running.add(run);
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #run(command: FedCommand): Promise<void> {
    const { outbox, log } = this.#options;
    try {
      await this.#carryOut(command);
      outbox.post(internalPaths.commandResult, { id: command.id, ok: true });
    } catch (error) {
      const expected = error instanceof AppError;
      log[expected ? 'info' : 'error']('command_failed', {
        error,
        command_id: command.id,
        name: command.name,
      });
      const words = expected ? error.message : 'It failed inside the box; its log says why.';
      outbox.post(internalPaths.commandResult, { id: command.id, ok: false, error: words.slice(0, 500) });
    }
  }

  async #carryOut(command: FedCommand): Promise<void> {
    const { clock, directory, gotoPreset } = this.#options;
    const camera = directory.get(command.device_id);
    if (!camera)
      throw new AppError('not_found', 'The camera has no connection on this box. Add it to cameras.');
    const args = Args.parse(command.args);
    const atMs = Date.parse(command.created_at);
    if (command.name === 'record') {
      this.#record(command, camera, atMs, args.seconds);
      return;
    }
    if (clock.now() - atMs > commandLifeMs) throw new AppError('gone', 'The command came too late.');
    if (command.name === 'goto_preset') await gotoPreset(camera.id, args.preset);
    else await this.#snapshot(command, camera);
  }

  #record(command: FedCommand, camera: KnownCamera, atMs: number, seconds: number): void {
    if (!camera.enabled || camera.recording.mode === 'off')
      throw new AppError('unprocessable', `Recording is switched off for "${camera.name}".`);
    const toMs = atMs + seconds * 1_000;
    this.#options.signals.emit({
      kind: 'keep',
      cameraId: camera.id,
      fromMs: atMs - camera.recording.pre_roll_ms,
      toMs,
      why: `Command of ${command.requested_by}`,
    });
    if (command.incident_id !== undefined) this.#join(command.incident_id, camera, atMs, toMs);
  }

  async #snapshot(command: FedCommand, camera: KnownCamera): Promise<void> {
    const { clips, clock, db, files, outbox, random, snapshot, stills } = this.#options;
    const before = stills.ofCommand(command.id);
    if (before?.state === 'ready') return;
    if (command.incident_id !== undefined)
      this.#join(command.incident_id, camera, Date.parse(command.created_at));
    const picture = await snapshot(camera.id);
    const clip = command.incident_id === undefined ? undefined : clips.find(command.incident_id, camera.id);
    const atMs = clock.now();
    const still = before ?? {
      id: random.uuid(),
      clip_id: clip?.id ?? null,
      camera_id: camera.id,
      org_id: camera.orgId,
      at_ms: atMs,
      state: 'missing' as const,
      command_id: command.id,
      until_ms: clip?.until_ms ?? atMs + this.#options.settings().evidence_keep_days * dayMs,
    };
    if (!before) stills.add(still);
    await files.keep(still.id, picture);
    if (clip === undefined) return;
    const line = {
      incident_id: clip.incident_id,
      device_id: camera.id,
      text: `${camera.name}: snapshot at ${clockTime(still.at_ms, camera.timeZone)}.`,
      data: {
        clip_id: clip.id,
        camera_id: camera.id,
        stills: [{ id: still.id, at_ms: still.at_ms }],
        by: command.requested_by,
      },
    };
    db.transaction(() => outbox.post(internalPaths.evidence, line)).immediate();
  }

  /** A camera that is commanded for an incident belongs to it, whether it sees the place or not. */
  #join(incidentId: string, camera: KnownCamera, atMs: number, toMs?: number): void {
    const { db, watch } = this.#options;
    const keep = { incident: { id: incidentId }, camera, atMs, ...(toMs === undefined ? {} : { toMs }) };
    db.transaction(() => watch.keep(keep)).immediate();
  }
}

const isForCamera = ({ name }: FedCommand): boolean =>
  name === 'record' || name === 'snapshot' || name === 'goto_preset';
