/** What root on the box asks of identity, through the internal API: the self-test's means, a setup code, a lost password. */
import type { InternalAdminReset, InternalSelfTest } from '@siphera/contract';
import { InternalResetAdmin, internalAdminHeader } from '@siphera/contract';
import { AppError, newTraceId } from '@siphera/runtime';
import type { Request } from 'express';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import { DeviceCa } from '../../registry/adapters/device-ca.ts';
import { PasswordHasher } from '../adapters/password-hash.ts';
import { hashSecret, makeApiKey, sameDigest } from '../domain/api-key.ts';
import { selfTestLifeMs } from '../self-test-writes.ts';
import type { Authenticator } from './authenticator.ts';
import { requireGoodPassword } from './sign-in.ts';

export { writeSetupCode } from './setup-code.ts';

const EndSelfTest = z.object({ run_id: z.string().max(64) });

/**
 * The root-only calls: every service of the box can open the internal API, so root proves itself by a key that only root
 * and core can read. @throws AppError `forbidden`
 */
export function requireRoot(app: Pick<AppDeps, 'config'>, request: Pick<Request, 'get'>): void {
  const path = app.config.CORE_ADMIN_KEY_FILE;
  if (path === undefined)
    throw new AppError('forbidden', 'Core was started without CORE_ADMIN_KEY_FILE: nobody is root here.');
  const key = readFileSync(path, 'utf8').trim();
  const given = request.get(internalAdminHeader) ?? '';
  if (key === '' || !sameDigest(hashSecret(given), hashSecret(key)))
    throw new AppError('forbidden', 'Only root on the box may do this.');
}

/** Makes all that one run of the self-test needs. What it made goes when the run ends, or after ten minutes. */
export async function startSelfTest(
  app: AppDeps,
  authenticator: Authenticator,
): Promise<z.input<typeof InternalSelfTest>> {
  const ca = new DeviceCa(app.config.CA_DIR, app.random);
  const deviceId = app.random.uuid();
  const runId = app.random.bytes(8).toString('hex');
  const issued = await ca.issueWithKey(deviceId, app.clock.now());
  const keyId = app.random.uuid();
  const { secret, prefix, secretSha256 } = makeApiKey(keyId, app.random.bytes(32));
  const { orgId, claims } = await app.box.write('startSelfTest', context(app), {
    runId,
    deviceId,
    serviceId: app.random.uuid(),
    apiKey: { id: keyId, secretSha256, prefix },
    certificate: {
      serial: issued.serial,
      fingerprint_sha256: issued.fingerprintSha256,
      expires_ms: issued.expiresMs,
    },
  });
  setTimeout(() => {
    app.box
      .write('endSelfTest', context(app), { runId })
      .catch((error: unknown) => app.log.warn('self_test_end_failed', { error }));
  }, selfTestLifeMs).unref();
  return {
    run_id: runId,
    access_token: await authenticator.keys.sign(claims),
    api_key: secret,
    org_id: orgId,
    device_id: deviceId,
    device_certificate_pem: issued.pem,
    device_key_pem: issued.keyPem,
    ca_pem: ca.caPem(),
    panel_account: `5E1F${app.random.bytes(2).toString('hex').toUpperCase()}`,
    severity: 'info',
  };
}

/** The run is over: nothing of it is left. */
export async function endSelfTest(app: AppDeps, body: unknown): Promise<void> {
  const { run_id } = EndSelfTest.parse(body);
  await app.box.write('endSelfTest', context(app), { runId: run_id });
}

/** Lets an admin in again who lost the password. Ends his sessions. */
export async function resetAdmin(app: AppDeps, body: unknown): Promise<z.infer<typeof InternalAdminReset>> {
  const { email, password = app.random.bytes(15).toString('base64url') } = InternalResetAdmin.parse(
    body ?? {},
  );
  if (email === '') throw new AppError('validation_failed', 'The e-mail address is empty.');
  requireGoodPassword(password, [email ?? ''], 'password');
  const passwordHash = await new PasswordHasher(app.random).hash(password);
  const user = await app.box.write('resetAdmin', context(app), { email, passwordHash });
  return { ...user, password };
}

const context = (app: AppDeps) => ({
  actor: systemActor(''),
  traceId: newTraceId(app.random),
});
