/**
 * The manifest of an export of footage: what `manifest.json` in the zip holds, as `siphera verify-evidence` reads it. Later
 * versions only add to it. The signature (`manifest.sig`) is Ed25519 over the bytes of the file as they are.
 */
import { z } from 'zod';

export const evidenceFormat = 'siphera-evidence/1';
export const evidenceFiles = {
  manifest: 'manifest.json',
  signature: 'manifest.sig',
  publicKey: 'public-key.pem',
  readme: 'README.txt',
} as const;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** A moment, in UTC and as the clock on the wall of the site showed it. */
const Moment = z.object({ utc: z.string(), local: z.string() });

export const EvidenceManifest = z.object({
  format: z.literal(evidenceFormat),
  box: z.object({ name: z.string(), software: z.string() }),
  export: z.object({
    id: z.string(),
    name: z.string(),
    from_utc: z.string(),
    to_utc: z.string(),
    reason: z.string(),
    incident_id: z.string().nullable(),
    requested_at_utc: z.string(),
    requested_by: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
    made_at_utc: z.string(),
  }),
  cameras: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      area: z.string(),
      time_zone: z.string(),
      from: Moment,
      to: Moment,
      /** Where footage was asked for and is not. */
      gaps: z.array(z.object({ from: Moment, to: Moment, why: z.string() })),
    }),
  ),
  files: z.array(
    z.object({
      path: z.string(),
      bytes: z.int(),
      sha256: Sha256,
      camera_id: z.string(),
      /** It begins with the key frame at or before what was asked for. */
      from: Moment,
      to: Moment,
      video: z.string().meta({ description: 'h264, h265 or other; copied as the camera sent it' }),
      width: z.int(),
      height: z.int(),
      mime: z.string(),
    }),
  ),
  /** README.txt tells people how to check; nobody may put other words there. */
  readme_sha256: Sha256,
  key: z.object({ algorithm: z.literal('Ed25519'), fingerprint_sha256: Sha256 }),
});
export type EvidenceManifest = z.infer<typeof EvidenceManifest>;
