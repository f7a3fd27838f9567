/** What the desk remembers. A file that does not fit is never reset in silence: it holds whom this desk trusts. */
import { z } from 'zod';
import { parseBoxAddress } from './address.shared.ts';
import { normaliseFingerprint } from './fingerprint.shared.ts';

const Origin = z
  .string()
  .max(300)
  .refine((text) => parseBoxAddress(text) === text, 'must be an https origin');
const Fingerprint = z
  .string()
  .refine((text) => normaliseFingerprint(text) === text, 'must be a SHA-256 fingerprint');

/** `pinned`: only what the box's own CA signed. `system`: the admin's certificate, checked as any browser would. */
export const Trust = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pinned'), ca_pem: z.string().max(16_384), fingerprint: Fingerprint }),
  z.object({ kind: z.literal('system') }),
]);
export type Trust = z.infer<typeof Trust>;

const Settings = z.object({ version: z.literal(1), origin: Origin, trust: Trust, autostart: z.boolean() });
export type Settings = z.infer<typeof Settings>;

export type ReadSettings = { kind: 'none' } | { kind: 'damaged' } | { kind: 'ok'; settings: Settings };

/** @param text content of the settings file; undefined when there is none. */
export function readSettings(text: string | undefined): ReadSettings {
  if (text === undefined) return { kind: 'none' };
  try {
    const parsed = Settings.safeParse(JSON.parse(text));
    return parsed.success ? { kind: 'ok', settings: parsed.data } : { kind: 'damaged' };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: 'damaged' };
    throw error;
  }
}

export const writeSettings = (settings: Settings): string =>
  `${JSON.stringify(Settings.parse(settings), null, 2)}\n`;
