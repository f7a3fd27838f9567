/** Counts failed sign-ins. An attempt counts as failed from its beginning, so that guesses sent at once all count. */
import { AppError } from '@siphera/runtime/base';
import type { Tx } from '../../kernel/transaction.ts';
import { waitBeforeAttempt, type Failures, type ThrottleRule } from '../domain/login-throttle.ts';

/** @throws AppError `too_many_attempts` while the subject must wait. */
export function takeAttempt(tx: Tx, subject: string, rule: ThrottleRule): void {
  const known = tx.db
    .prepare<[string], Failures>('SELECT failures, last_ms FROM login_failures WHERE subject = ?')
    .get(subject);
  const waitMs = waitBeforeAttempt(rule, known, tx.nowMs);
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1_000);
    throw new AppError('too_many_attempts', `Wait ${seconds} seconds, then try again.`, {
      extra: { retry_after_seconds: seconds },
    });
  }
  tx.db
    .prepare(
      `INSERT INTO login_failures (subject, failures, last_ms) VALUES (?, 1, ?)
       ON CONFLICT (subject) DO UPDATE SET failures = failures + 1, last_ms = excluded.last_ms`,
    )
    .run(subject, tx.nowMs);
}

/** The attempt was right: the account is clean, the address loses the failure that the attempt began with. */
export function attemptSucceeded(tx: Tx, subjects: { account: string; address: string }): void {
  tx.db.prepare('DELETE FROM login_failures WHERE subject = ?').run(subjects.account);
  tx.db
    .prepare('UPDATE login_failures SET failures = max(failures - 1, 0) WHERE subject = ?')
    .run(subjects.address);
}
