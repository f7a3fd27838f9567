/** The first answer to a request with an idempotency key is kept for a day, in the transaction of its effect, and given again. */
import { createHash } from 'node:crypto';
import { AppError } from '@siphera/runtime/base';
import type { WriteContext } from './transaction.ts';

export const idempotencyLifeMs = 24 * 3_600_000;

/** @throws AppError `idempotency_mismatch` when the key came before with another input. */
export function runOnce<O>(
  context: WriteContext,
  operation: string,
  key: string,
  input: unknown,
  run: () => O,
): O {
  const { db, actor, nowMs } = context;
  const digest = createHash('sha256').update(JSON.stringify(input)).digest('hex');
  const known = db
    .prepare<[string, string, string], { input_sha256: string; answer: string }>(
      'SELECT input_sha256, answer FROM idempotency WHERE actor_id = ? AND operation = ? AND key = ?',
    )
    .get(actor.id, operation, key);
  if (known) {
    if (known.input_sha256 !== digest)
      throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used for another request.', {
        hint: 'Use a new key for a new request.',
      });
    return JSON.parse(known.answer) as O;
  }
  const answer = run();
  db.prepare(
    'INSERT INTO idempotency (actor_id, operation, key, input_sha256, answer, at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  ).run(actor.id, operation, key, digest, JSON.stringify(answer ?? null), nowMs);
  return answer;
}
