/** What a run of the self-test needs and leaves behind. Root only, by the internal API. */
import type { Permission } from '@siphera/contract';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { systemActor } from '../kernel/actor.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { announceDevice } from '../registry/device-writes.ts';
import { recordCertificate } from '../registry/enrolment-writes.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { endApiKey, insertApiKey } from './api-key-writes.ts';
import { ensureFirstPlace } from './store/first-place.store.ts';
import { revokeSid } from './store/revocations.store.ts';

/** A run takes seconds; what a killed run left behind is worthless soon. */
export const selfTestLifeMs = 600_000;
const keyPermissions: readonly Permission[] = ['event.write'];
const watcherPermissions: readonly Permission[] = ['event.read', 'incident.read', 'registry.read'];

export type SelfTestInput = {
  runId: string;
  deviceId: string;
  serviceId: string;
  apiKey: { id: string; secretSha256: string; prefix: string };
  certificate: { serial: string; fingerprint_sha256: string; expires_ms: number };
};
type SelfTestRow = {
  run_id: string;
  org_id: string;
  device_id: string;
  api_key_id: string;
  service_id: string;
  certificate_serial: string;
};

export const createSelfTestWrites = (deps: WriterDeps) => ({
  startSelfTest: (context: WriteContext, input: SelfTestInput) => {
    const { db, nowMs } = context;
    const place = ensureFirstPlace(context);
    const own: WriteContext = { ...context, actor: systemActor(place.orgId) };
    endWhere(own, deps, 'org_id = ?', place.orgId);
    db.prepare(
      `INSERT INTO devices (id, org_id, site_id, area_id, kind, name, tags, created_ms)
       VALUES (?, ?, ?, ?, 'controller', 'Self-test', '["self-test"]', ?)`,
    ).run(input.deviceId, place.orgId, place.siteId, place.areaId, nowMs);
    deps.index.clear();
    recordCertificate(own, { ...input.certificate, deviceId: input.deviceId, orgId: place.orgId });
    insertApiKey(own, {
      ...input.apiKey,
      name: 'Self-test',
      permissions: keyPermissions,
      scope: { kind: 'org', id: place.orgId },
      expiresMs: nowMs + selfTestLifeMs,
      orgId: place.orgId,
      createdBy: 'Siphera',
    });
    db.prepare(
      `INSERT INTO self_tests (run_id, org_id, device_id, api_key_id, service_id, certificate_serial, expires_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      input.runId,
      place.orgId,
      input.deviceId,
      input.apiKey.id,
      input.serviceId,
      input.certificate.serial,
      nowMs + selfTestLifeMs,
    );
    announceDevice(own, input.deviceId, 'created', context.traceId);
    appendAudit(own, { actor: own.actor, action: 'self_test.started', target: `device:${input.deviceId}` });
    return {
      orgId: place.orgId,
      claims: {
        sub: input.serviceId,
        sid: input.serviceId,
        kind: 'service' as const,
        org: place.orgId,
        name: 'Self-test',
        grants: [{ permissions: [...watcherPermissions], scope: `org:${place.orgId}` }],
        iat: nowMs / 1_000,
      },
    };
  },

  endSelfTest: (context: WriteContext, input: { runId: string }): void => {
    endWhere(context, deps, 'run_id = ?', input.runId);
  },
});

/** Takes back what runs made; those that match the condition. */
export function endWhere(
  context: WriteContext,
  deps: Pick<WriterDeps, 'index' | 'crlChanged'>,
  condition: 'run_id = ?' | 'org_id = ?' | 'expires_ms <= ?',
  value: string | number,
): void {
  const { db, nowMs } = context;
  const rows = db
    .prepare<[string | number], SelfTestRow>(`SELECT * FROM self_tests WHERE ${condition}`)
    .all(value);
  for (const row of rows) {
    db.prepare('UPDATE devices SET deleted_ms = ? WHERE id = ?').run(nowMs, row.device_id);
    db.prepare('UPDATE device_certificates SET revoked_ms = ? WHERE serial = ? AND revoked_ms IS NULL').run(
      nowMs,
      row.certificate_serial,
    );
    endApiKey(context, { id: row.api_key_id, org_id: row.org_id });
    revokeSid(context, row.org_id, row.service_id, 'self-test ended');
    db.prepare('DELETE FROM self_tests WHERE run_id = ?').run(row.run_id);
    context.change({
      kind: 'device',
      action: 'deleted',
      id: row.device_id,
      orgId: row.org_id,
      audience: 'registry.read',
      scopes: [`org:${row.org_id}`],
      traceId: context.traceId,
    });
    const actor = systemActor(row.org_id);
    appendAudit(context, { actor, action: 'self_test.ended', target: `device:${row.device_id}` });
  }
  if (rows.length === 0) return;
  deps.index.clear();
  context.afterCommit(() => deps.crlChanged());
}
