/** The setup code as a file that only root and core can read; the installer prints it, and it goes when it was used. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { toRfc3339 } from '@siphera/runtime';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import { hashCode, makeCode } from '../domain/one-time-code.ts';
import { hasUsers } from '../store/first-place.store.ts';

export const setupIsNeeded = (app: Pick<AppDeps, 'db'>): boolean => !hasUsers(app);

/** At the start: a box without an admin has a code that works; one that is set up has none. */
export async function ensureSetupCode(app: AppDeps): Promise<void> {
  const path = app.config.SETUP_CODE_FILE;
  if (path === undefined) return;
  if (!setupIsNeeded(app)) removeSetupCode(app);
  else if (!existsSync(path) || !isGood(app, readFileSync(path, 'utf8').trim())) await writeSetupCode(app);
}

/** Makes a new code, which makes older ones void. @throws AppError `setup_done`. */
export async function writeSetupCode(app: AppDeps): Promise<{ code: string; expires_at: string }> {
  const code = makeCode((length) => app.random.bytes(length));
  const { expiresMs } = await app.box.write(
    'storeSetupCode',
    { actor: systemActor(''), traceId: '' },
    { codeSha256: hashCode(code) },
  );
  const path = app.config.SETUP_CODE_FILE;
  if (path !== undefined) {
    writeFileSync(`${path}.tmp`, `${code}\n`, { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }
  return { code, expires_at: toRfc3339(expiresMs) };
}

export function removeSetupCode(app: AppDeps): void {
  const path = app.config.SETUP_CODE_FILE;
  if (path !== undefined) rmSync(path, { force: true });
}

const isGood = (app: AppDeps, code: string): boolean =>
  app.db
    .prepare(
      `SELECT 1 FROM setup_codes WHERE code_sha256 = ? AND purpose = 'setup' AND used_ms IS NULL AND expires_ms > ?`,
    )
    .get(hashCode(code), app.clock.now()) !== undefined;
