/** The first admin, by a one-time code. */
import { AppError } from '@siphera/runtime/base';
import { IANAZone } from 'luxon';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { orgScope } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { toArea, toSite, type AreaRow, type SiteRow } from '../registry/store/registry-rows.ts';
import { installReadyRules } from '../rules/ready-rule-writes.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { addressThrottle } from './domain/login-throttle.ts';
import { hashCode } from './domain/one-time-code.ts';
import { insertBinding } from './group-writes.ts';
import { actorOfUser } from './session-writes.ts';
import { readUser, type UserRow } from './store/identity-rows.ts';
import { ensureFirstPlace, hasUsers, type FirstPlace } from './store/first-place.store.ts';
import { takeAttempt } from './store/login-failures.store.ts';
import { openSessionOf, type NewSession, type SignedInSeed } from './store/sessions.store.ts';
import { insertUser, sayUserChanged } from './user-writes.ts';

/** The installer prints the code; whoever comes later asks `siphera setup-code` for a new one. */
const setupCodeLifeMs = 7 * 86_400_000;

export const wrongSetupCode = (): AppError =>
  new AppError('setup_code_wrong', 'The setup code is wrong, expired or already used.', {
    hint: 'Run `siphera setup-code` on the box for a new one.',
  });

export type SetupInput = NewSession & {
  code: string;
  orgName: string;
  siteName: string;
  timeZone: string;
  name: string;
  email: string;
  passwordHash: string;
};

export const createSetupWrites = (deps: WriterDeps) => ({
  /**
   * Counts the try, and tells early that the code is wrong, before a password is hashed for it. Answers instead of
   * throwing, so that the count is committed.
   */
  beginSetup: (
    context: WriteContext,
    input: { code: string; addressSubject: string },
  ): 'ready' | 'wrong_code' => {
    if (hasUsers(context)) throw new AppError('setup_done', 'The box has its first admin already.');
    takeAttempt(context, input.addressSubject, addressThrottle);
    return isGoodCode(context, input.code) ? 'ready' : 'wrong_code';
  },

  runSetup: (context: WriteContext, input: SetupInput): SignedInSeed => {
    if (hasUsers(context)) throw new AppError('setup_done', 'The box has its first admin already.');
    if (!isGoodCode(context, input.code)) throw wrongSetupCode();
    if (!IANAZone.isValidZone(input.timeZone))
      throw new AppError('validation_failed', `${input.timeZone} is not an IANA time zone.`, {
        extra: { errors: [{ path: 'body.time_zone', message: 'not an IANA time zone' }] },
      });
    const place = ensureFirstPlace(context);
    const { orgId, siteId } = place;
    context.db.prepare('UPDATE orgs SET name = ? WHERE id = ?').run(input.orgName, orgId);
    context.db
      .prepare('UPDATE sites SET name = ?, time_zone = ? WHERE id = ?')
      .run(input.siteName, input.timeZone, siteId);
    const userId = insertUser(context, { ...input, orgId, locale: 'en' });
    const user = readUser(context.db, userId) as UserRow;
    const own: WriteContext = { ...context, actor: actorOfUser(user, input.address) };
    insertBinding(own, {
      subject: { kind: 'user', id: userId },
      role: 'admin',
      scope: { kind: 'org', id: orgId },
    });
    sayFirstPlace(own, place);
    deps.index.clear();
    installReadyRules(own, deps, { siteId });
    context.db
      .prepare('UPDATE setup_codes SET used_ms = ? WHERE code_sha256 = ?')
      .run(context.nowMs, hashCode(input.code));
    appendAudit(own, {
      actor: own.actor,
      action: 'box.set_up',
      target: `org:${orgId}`,
      detail: { org_name: input.orgName, site_name: input.siteName },
    });
    sayUserChanged(own, userId, orgId, 'created');
    return openSessionOf(own, user, input);
  },

  /** A new code makes the older ones void. */
  storeSetupCode: (context: WriteContext, input: { codeSha256: string }): { expiresMs: number } => {
    if (hasUsers(context)) throw new AppError('setup_done', 'The box has its first admin already.');
    const expiresMs = context.nowMs + setupCodeLifeMs;
    context.db.prepare(`DELETE FROM setup_codes WHERE purpose = 'setup'`).run();
    context.db
      .prepare(
        `INSERT INTO setup_codes (code_sha256, purpose, created_ms, expires_ms) VALUES (?, 'setup', ?, ?)`,
      )
      .run(input.codeSha256, context.nowMs, expiresMs);
    return { expiresMs };
  },
});

const isGoodCode = ({ db, nowMs }: WriteContext, code: string): boolean =>
  db
    .prepare(
      `SELECT 1 FROM setup_codes WHERE code_sha256 = ? AND purpose = 'setup' AND used_ms IS NULL AND expires_ms > ?`,
    )
    .get(hashCode(code), nowMs) !== undefined;

function sayFirstPlace(context: WriteContext, { orgId, siteId, areaId }: FirstPlace): void {
  const { db, traceId } = context;
  const scopes = [`site:${siteId}`, ...orgScope(orgId)];
  const site = toSite(
    db.prepare<[string], SiteRow>('SELECT * FROM sites WHERE id = ?').get(siteId) as SiteRow,
  );
  const area = toArea(
    db.prepare<[string], AreaRow>('SELECT * FROM areas WHERE id = ?').get(areaId) as AreaRow,
  );
  const common = { action: 'created', orgId, audience: 'registry.read', traceId } as const;
  context.change({ ...common, kind: 'site', id: siteId, scopes, data: site });
  context.change({ ...common, kind: 'area', id: areaId, scopes: [`area:${areaId}`, ...scopes], data: area });
}
