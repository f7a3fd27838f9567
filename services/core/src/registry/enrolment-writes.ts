/** Enrolment: a one-time code becomes a certificate; a certificate can be revoked. */
import { createHash } from 'node:crypto';
import type { DeviceKind } from '@siphera/contract';
import { AppError, toRfc3339, type Sqlite } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authoriseOn, scopesOf } from '../kernel/access.ts';
import type { ReadContext, Tx, WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { announceDevice, readDeviceRow } from './device-writes.ts';
import { twinsChanged } from './twin.ts';

/** Long enough to walk to the controller. */
const codeLifeMs = 24 * 3_600_000;
/** 30 letters and digits without look-alikes: 10 of them are 49 bits, and the front door limits tries. */
const alphabet = '23456789ABCDEFGHJKLMNPQRSTUVWX';

const hashCode = (code: string): string =>
  createHash('sha256').update(code.replaceAll('-', '').toUpperCase()).digest('hex');
const refused = (): AppError =>
  new AppError('enrolment_code_wrong', 'The enrolment code is wrong, expired or already used.', {
    hint: 'Make a new one on the device page.',
  });

type CodeRow = { device_id: string; org_id: string };

function findCode(db: Sqlite, code: string, nowMs: number): CodeRow {
  const row = db
    .prepare<[string, number], CodeRow>(
      `SELECT c.device_id, c.org_id FROM enrolment_codes c JOIN devices d ON d.id = c.device_id AND d.deleted_ms IS NULL
       WHERE c.code_sha256 = ? AND c.used_ms IS NULL AND c.expires_ms > ?`,
    )
    .get(hashCode(code), nowMs);
  if (!row) throw refused();
  return row;
}

export const enrolmentReads = {
  /** Which device a code stands for. Public: the code is the right. */
  findEnrolmentCode: ({ db, nowMs }: ReadContext, input: { code: string }): CodeRow =>
    findCode(db, input.code, nowMs),
};

export const createEnrolmentWrites = (deps: WriterDeps) => ({
  createEnrolmentCode: (context: WriteContext, input: { id: string }) => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'device.enrol' },
      scopesOf(context.db, { kind: 'device', id: input.id }),
    );
    const row = readDeviceRow(context, input.id);
    if (!row) throw new AppError('not_found', 'There is no such device.');
    const letters = [...context.random.bytes(64)]
      .filter((byte) => byte < 240)
      .map((byte) => alphabet[byte % alphabet.length] ?? '')
      .slice(0, 10);
    const code = `${letters.slice(0, 5).join('')}-${letters.slice(5).join('')}`;
    const expiresMs = context.nowMs + codeLifeMs;
    // A new code makes the older ones of this device void.
    context.db.prepare('DELETE FROM enrolment_codes WHERE device_id = ?').run(input.id);
    context.db
      .prepare(
        'INSERT INTO enrolment_codes (code_sha256, org_id, device_id, created_ms, expires_ms) VALUES (?, ?, ?, ?, ?)',
      )
      .run(hashCode(code), row.org_id, input.id, context.nowMs, expiresMs);
    appendAudit(context, {
      actor: context.actor,
      action: 'device.enrolment_code_made',
      target: `device:${input.id}`,
    });
    return { code, device_id: input.id, expires_at: toRfc3339(expiresMs) };
  },

  /** Uses the code up and records the certificate that was signed for it, in one step. */
  enrolDevice: (
    context: WriteContext,
    input: { code: string; serial: string; fingerprint_sha256: string; expires_ms: number },
  ) => {
    const code = findCode(context.db, input.code, context.nowMs);
    context.db
      .prepare('UPDATE enrolment_codes SET used_ms = ? WHERE code_sha256 = ?')
      .run(context.nowMs, hashCode(input.code));
    recordCertificate(context, { ...input, deviceId: code.device_id, orgId: code.org_id });
    const device = announceDevice(context, code.device_id, 'updated', context.traceId);
    appendAudit(context, {
      actor: {
        kind: 'device',
        id: code.device_id,
        name: device.name,
        orgId: code.org_id,
        address: context.actor.address,
      },
      action: 'device.enrolled',
      target: `device:${code.device_id}`,
      detail: { serial: input.serial, fingerprint_sha256: input.fingerprint_sha256 },
    });
    twinsChanged(context, deps, [code.device_id]);
    context.afterCommit(() => deps.crlChanged());
    const children = context.db
      .prepare<[string], { id: string; kind: DeviceKind; name: string; external_id: string | null }>(
        'SELECT id, kind, name, external_id FROM devices WHERE parent_id = ? AND deleted_ms IS NULL ORDER BY name',
      )
      .all(code.device_id);
    return { device_id: code.device_id, org_id: code.org_id, children };
  },

  revokeDeviceCertificate: (context: WriteContext, input: { id: string }): void => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'device.enrol' },
      scopesOf(context.db, { kind: 'device', id: input.id }),
    );
    context.db
      .prepare('UPDATE device_certificates SET revoked_ms = ? WHERE device_id = ? AND revoked_ms IS NULL')
      .run(context.nowMs, input.id);
    announceDevice(context, input.id, 'updated', context.traceId);
    appendAudit(context, {
      actor: context.actor,
      action: 'device.certificate_revoked',
      target: `device:${input.id}`,
    });
    context.afterCommit(() => deps.crlChanged());
  },
});

/** Records a certificate; the device's older ones are revoked, so that there is one key to a name. */
export function recordCertificate(
  tx: Tx,
  input: { deviceId: string; orgId: string; serial: string; fingerprint_sha256: string; expires_ms: number },
): void {
  tx.db
    .prepare('UPDATE device_certificates SET revoked_ms = ? WHERE device_id = ? AND revoked_ms IS NULL')
    .run(tx.nowMs, input.deviceId);
  tx.db
    .prepare(
      'INSERT INTO device_certificates (serial, org_id, device_id, fingerprint_sha256, issued_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)',
    )
    .run(input.serial, input.orgId, input.deviceId, input.fingerprint_sha256, tx.nowMs, input.expires_ms);
}

/** Serials to refuse: revoked and not yet expired. */
export function revokedSerials(db: Sqlite, nowMs: number): Array<{ serial: string; revokedMs: number }> {
  return db
    .prepare<[number], { serial: string; revoked_ms: number }>(
      'SELECT serial, revoked_ms FROM device_certificates WHERE revoked_ms IS NOT NULL AND expires_ms > ?',
    )
    .all(nowMs)
    .map((row) => ({ serial: row.serial, revokedMs: row.revoked_ms }));
}
