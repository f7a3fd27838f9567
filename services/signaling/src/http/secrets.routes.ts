/** Secrets of a person, sealed with his recovery secret. */
import { AppError, toRfc3339, type Clock } from '@siphera/runtime';
import type { Queues, TalkHandlers } from '../ground.ts';
import type { SecretStore } from '../store/secret.store.ts';

export type SecretParts = { secrets: SecretStore; queues: Queues; clock: Clock };

export function secretHandlers({
  secrets,
  queues,
  clock,
}: SecretParts): Pick<TalkHandlers, 'getSecrets' | 'putSecrets'> {
  return {
    getSecrets: async ({ caller }) => {
      const row = secrets.get(caller.claims.sub);
      if (!row) throw new AppError('not_found', 'There are no secrets of yours yet.');
      return { box: row.box, version: row.version, updated_at: toRfc3339(row.updatedMs) };
    },

    putSecrets: async ({ caller, body }) => {
      const { userId } = queues.confirmed(caller);
      const version = body.version + 1;
      if (!secrets.replace(userId, { box: body.box, version, updatedMs: clock.now() }))
        throw new AppError('conflict', 'Another device has replaced the secrets.', {
          hint: 'Fetch them, and put what you have to them.',
          extra: { version: secrets.get(userId)?.version ?? 0 },
        });
      return { version };
    },
  };
}
