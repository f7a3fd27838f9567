/** Evidence as a part of the service: what incidents leave, commands to cameras, locks, exports. */
import { join } from 'node:path';
import type { FootageSettings } from '@siphera/contract';
import packageJson from '../package.json' with { type: 'json' };
import { CommandRunner } from './adapters/evidence/command-runner.ts';
import { exactStills } from './adapters/evidence/exact-still.ts';
import { EvidenceKeeper } from './adapters/evidence/evidence-keeper.ts';
import { Exporter } from './adapters/evidence/exporter.ts';
import { IncidentWatch } from './adapters/evidence/incident-watch.ts';
import { loadSigningKey } from './adapters/evidence/signing-key.ts';
import { StillFiles } from './adapters/evidence/still-files.ts';
import type { KeptFootage, PresetMover, Snapshooter } from './domain/kept-footage.ts';
import type { Ground } from './ground.ts';
import { evidenceHandlers } from './http/evidence.routes.ts';
import { exportHandlers } from './http/export.routes.ts';
import { LookLog } from './http/look-log.ts';
import type { Base, Part } from './part.ts';
import { ClipStore } from './store/clip.store.ts';
import { ExportStore } from './store/export.store.ts';
import { LockStore } from './store/lock.store.ts';
import { StillStore } from './store/still.store.ts';

export type EvidenceNeeds = {
  footage: KeptFootage;
  snapshot: Snapshooter;
  gotoPreset: PresetMover;
  settings(): FootageSettings;
};

export function createEvidencePart(ground: Ground, base: Base, needs: EvidenceNeeds): Part {
  const { clock, config, db, directory, expiry, log, metrics, outbox, random, signals } = ground;
  const [clips, stills, locks, store] = [
    new ClipStore(db),
    new StillStore(db),
    new LockStore(db),
    new ExportStore(db),
  ];
  const files = new StillFiles(join(config.DATA_DIR, 'stills'), stills);
  const common = { ...needs, db, clips, stills, locks, files, directory, outbox, clock, expiry, random, log };
  const watch = new IncidentWatch({
    ...common,
    areaScopes: (id) => base.registry.area(id)?.scopes,
    addedMs: (id) => base.registry.row(id)?.createdMs ?? 0,
  });
  const commands = new CommandRunner({ ...common, watch, signals });
  const keeper = new EvidenceKeeper({
    ...common,
    metrics,
    makeStill: exactStills(config.FFMPEG, needs.footage),
    camera: (id) => directory.get(id),
  });
  const exporter = new Exporter({
    ...common,
    directory: join(config.DATA_DIR, 'exports'),
    store,
    key: loadSigningKey(config.DATA_DIR, config.EVIDENCE_KEY_FILE),
    ffmpeg: config.FFMPEG,
    boxName: config.PUBLIC_HOST_NAME,
    software: `Siphera camera service ${packageJson.version}`,
  });
  const looks = new LookLog(outbox, clock);
  const feedPosition = (): number => base.feedPosition();
  return {
    name: 'evidence',
    handlers: {
      ...evidenceHandlers({ ...common, looks }),
      ...exportHandlers({ ...common, store, exporter, looks, feedPosition }),
    },
    kinds: ['incident', 'command'],
    onEntries: (entries) => {
      watch.hear(entries.filter(({ kind }) => kind === 'incident'));
      commands.hear(entries.filter(({ kind }) => kind === 'command'));
    },
    checks: () => [{ name: 'evidence', state: 'ok', detail: `${clips.pendingCount()} clips under way` }],
    start: () => {
      keeper.start();
      exporter.start();
    },
    stop: async () => {
      await Promise.all([keeper.stop(), exporter.stop(), commands.stop()]);
    },
  };
}
