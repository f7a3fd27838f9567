/** Puts together what an export says of itself. Pure. */
import { evidenceFormat, type EvidenceManifest } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { FootageRun, Gap } from './kept-footage.ts';
import { zonedTime } from './zoned-time.ts';

export type ExportedFile = { run: FootageRun; path: string; bytes: number; sha256: string };
export type ManifestInput = {
  boxName: string;
  software: string;
  fingerprint: string;
  madeMs: number;
  export: {
    id: string;
    name: string;
    reason: string;
    incidentId: string | null;
    fromMs: number;
    toMs: number;
    createdMs: number;
    actor: { kind: string; id: string; name: string };
  };
  cameras: readonly { id: string; name: string; area: string; timeZone: string; gaps: readonly Gap[] }[];
  files: readonly ExportedFile[];
};

/** All but the hash of the README, which is written from it. */
export type ManifestDraft = Omit<EvidenceManifest, 'readme_sha256'>;

export function buildManifest(input: ManifestInput): ManifestDraft {
  const { export: asked } = input;
  const zones = new Map(input.cameras.map((camera) => [camera.id, camera.timeZone]));
  const moment = (ms: number, timeZone = 'UTC'): { utc: string; local: string } => ({
    utc: toRfc3339(Math.round(ms)),
    local: zonedTime(Math.round(ms), timeZone),
  });
  return {
    format: evidenceFormat,
    box: { name: input.boxName, software: input.software },
    export: {
      id: asked.id,
      name: asked.name,
      from_utc: toRfc3339(asked.fromMs),
      to_utc: toRfc3339(asked.toMs),
      reason: asked.reason,
      incident_id: asked.incidentId,
      requested_at_utc: toRfc3339(asked.createdMs),
      requested_by: asked.actor,
      made_at_utc: toRfc3339(input.madeMs),
    },
    cameras: input.cameras.map(({ id, name, area, timeZone, gaps }) => ({
      id,
      name,
      area,
      time_zone: timeZone,
      from: moment(asked.fromMs, timeZone),
      to: moment(asked.toMs, timeZone),
      gaps: gaps.map((gap) => ({
        from: moment(gap.fromMs, timeZone),
        to: moment(gap.toMs, timeZone),
        why: gap.why,
      })),
    })),
    files: input.files.map(({ run, path, bytes, sha256 }) => ({
      path,
      bytes,
      sha256,
      camera_id: run.cameraId,
      from: moment(run.fromMs, zones.get(run.cameraId)),
      to: moment(run.toMs, zones.get(run.cameraId)),
      video: run.video,
      width: run.width,
      height: run.height,
      mime: run.mime,
    })),
    key: { algorithm: 'Ed25519', fingerprint_sha256: input.fingerprint },
  };
}

/** Names come from people; a path in a zip must be harmless on every system that unpacks it. */
export function pathOf(
  camera: { name: string },
  index: number,
  run: FootageRun,
  fileTimeText: string,
): string {
  const name = camera.name
    .normalize('NFKD')
    .replaceAll(/[^A-Za-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40);
  const folder = `${String(index + 1).padStart(2, '0')}-${name === '' ? 'camera' : name}`;
  return `footage/${folder}/${fileTimeText}${run.video === 'h265' ? '_h265' : ''}.mp4`;
}

export function readmeText(manifest: ManifestDraft): string {
  const { export: asked, key, cameras, files } = manifest;
  const missing = cameras.flatMap((camera) =>
    camera.gaps.map((gap) => `  ${camera.name}: ${gap.from.local} to ${gap.to.local}. ${gap.why}`),
  );
  const h265 = files.some((file) => file.video === 'h265');
  return [
    `Footage from the Siphera box "${manifest.box.name}"`,
    '',
    `Export     ${asked.name} (${asked.id})`,
    `From       ${asked.from_utc}`,
    `To         ${asked.to_utc}`,
    `Asked by   ${asked.requested_by.name}, ${asked.requested_at_utc}`,
    ...(asked.reason === '' ? [] : [`Reason     ${asked.reason.replaceAll(/\s+/g, ' ')}`]),
    ...(asked.incident_id === null ? [] : [`Incident   ${asked.incident_id}`]),
    '',
    `Cameras: ${cameras.map(({ name }) => name).join(', ')}. The pictures are as the cameras sent them; nothing was encoded`,
    'anew. Times in manifest.json are in UTC and in the time zone of the site.',
    ...(h265
      ? ['Files whose names end in _h265 are H.265 (HEVC): players without it need VLC or ffmpeg.']
      : []),
    ...(missing.length === 0
      ? ['There is no gap in the footage that was asked for.']
      : ['Not there:', ...missing]),
    '',
    'Is it genuine?',
    '',
    'Anyone can check, without the box:',
    '',
    '  1. The key. Its fingerprint must be the one that the owner of the box gives you by another way:',
    `     ${key.fingerprint_sha256}`,
    '     openssl pkey -pubin -in public-key.pem -outform DER | sha256sum',
    '  2. The signature of manifest.json under that key:',
    '     openssl pkeyutl -verify -pubin -inkey public-key.pem -rawin -in manifest.json -sigfile manifest.sig',
    '  3. The files named in manifest.json:',
    ...files.map(({ path, sha256 }) => `     echo "${sha256}  ${path}" | sha256sum --check`),
    '',
    'With the software of the box, all of that at once: siphera verify-evidence FILE.zip',
    '',
  ].join('\n');
}
