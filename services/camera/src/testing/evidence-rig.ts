/** The camera service with evidence alone, on footage of the test's own making and a clock that the test can put forward. */
import type { FootageSettings, Incident } from '@siphera/contract';
import { systemClock, systemRandom, toRfc3339, type AppError, type Clock } from '@siphera/runtime';
import type { Signal } from '../domain/camera.ts';
import { createEvidencePart } from '../evidence.part.ts';
import { startRig, testOrg, testSite, until, yard, type Rig, type RigOptions } from './rig.ts';
import { StandInFootage } from './stand-in-footage.ts';

export type EvidenceRig = Rig & {
  footage: StandInFootage;
  signals: Signal[];
  settings: FootageSettings;
  /** Puts the service's clock forward. */
  advance(ms: number): void;
  now(): number;
  /** What the camera does when it is told to go to a preset; it throws what is set here. */
  presets: { cameraId: string; preset: string }[];
  presetFails: AppError | undefined;
  /** A camera in the yard, or elsewhere, that the service knows; nothing is recorded of it yet. */
  addCamera(
    name: string,
    options?: { area?: string; watches?: { area_ids?: string[]; device_ids?: string[] } },
  ): Promise<string>;
  /** Rows of the service's own file, or nothing for a change. */
  sql(text: string): unknown[];
  incident(change?: Partial<Incident>, action?: 'created' | 'updated'): Incident;
};

export const stream = {
  role: 'main' as const,
  url: 'rtsp://10.0.0.9/main',
  profile_token: null,
  video: null,
  audio: null,
  width: null,
  height: null,
  fps: null,
  bitrate_bps: null,
};
/** The smallest JPEG that says what it is. */
const jpeg = (text: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from(text)]);

export async function startEvidenceRig(options: Pick<RigOptions, 'env'> = {}): Promise<EvidenceRig> {
  let ahead = 0;
  const clock: Clock = {
    now: () => systemClock.now() + ahead,
    monotonic: () => systemClock.monotonic() + ahead,
  };
  const footage = new StandInFootage();
  footage.nowMs = () => clock.now();
  const own = {
    footage,
    signals: [] as Signal[],
    settings: {
      reason_required: false,
      evidence_before_ms: 10_000,
      evidence_after_ms: 20_000,
      evidence_keep_days: 365,
      transcodes_max: 2,
    },
    presets: [] as { cameraId: string; preset: string }[],
    presetFails: undefined as AppError | undefined,
    advance: (ms: number) => {
      ahead += ms;
    },
    now: () => Math.round(clock.now()),
  };
  const rig = await startRig({
    ...options,
    clock,
    parts: (ground, base) => {
      ground.signals.on((signal) => own.signals.push(signal));
      return [
        createEvidencePart(ground, base, {
          footage,
          snapshot: () => Promise.resolve(jpeg('now')),
          gotoPreset: (cameraId, preset) => {
            if (evidence.presetFails) return Promise.reject(evidence.presetFails);
            own.presets.push({ cameraId, preset });
            return Promise.resolve();
          },
          settings: () => evidence.settings,
        }),
      ];
    },
  });
  const more = {
    addCamera: async (
      name: string,
      { area = yard, watches = {} }: Parameters<EvidenceRig['addCamera']>[1] = {},
    ) => {
      const row = { streams: [stream], watches: { area_ids: [], device_ids: [], ...watches } };
      const { id } = rig.place(row, name, area);
      await until(() => rig.camera.ground.directory.get(id));
      return id;
    },
    sql: (text: string) => {
      const statement = rig.camera.ground.db.prepare(text);
      if (statement.reader) return statement.all();
      statement.run();
      return [];
    },
    incident: (change: Partial<Incident> = {}, action: 'created' | 'updated' = 'created') => {
      const data = incidentOf(own.now(), change);
      rig.core.tell({
        kind: 'incident',
        action,
        id: data.id,
        audience: 'incident.read',
        scopes: [`org:${testOrg}`],
        data,
      });
      return data;
    },
  };
  // Getters of the rig stay what they are.
  const evidence: EvidenceRig = Object.defineProperties(
    {} as EvidenceRig,
    Object.getOwnPropertyDescriptors({ ...own, ...more }),
  );
  Object.defineProperties(evidence, Object.getOwnPropertyDescriptors(rig));
  return evidence;
}

export const incidentOf = (nowMs: number, change: Partial<Incident>): Incident => ({
  id: systemRandom.uuid(),
  org_id: testOrg,
  site_id: testSite,
  number: 12,
  title: 'Dock door was forced open',
  severity: 'high',
  state: 'new',
  area_id: yard,
  area_name: 'Yard',
  device_id: null,
  device_name: null,
  device_ids: [],
  rule_id: null,
  rule_name: null,
  opened_at: toRfc3339(nowMs),
  updated_at: toRfc3339(nowMs),
  event_count: 1,
  late_ms: 0,
  acknowledged_by: null,
  assignee: null,
  resolved_by: null,
  resolution: null,
  steps: [],
  escalation_level: 0,
  test: false,
  revision: 1,
  trace_id: '0',
  ...change,
});
