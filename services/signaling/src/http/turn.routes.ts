/** Credentials for the relay, to whoever may talk. */
import { toRfc3339, type Clock } from '@siphera/runtime';
import type { Config } from '../config.ts';
import { turnCredentials } from '../domain/turn-credentials.ts';
import type { TalkHandlers } from '../ground.ts';

export type TurnNeeds = { config: Pick<Config, 'TURN_URIS' | 'TURN_SECRET'>; clock: Clock };

/** No list of its own of revoked sessions: a revoked token does not come as far as here. */
export const turnHandlers = ({ config, clock }: TurnNeeds): Pick<TalkHandlers, 'getTurn'> => ({
  getTurn: async ({ caller }) => {
    const { TURN_URIS: uris, TURN_SECRET: secret } = config;
    if (secret === undefined || uris.length === 0) {
      return { uris: [], username: '', credential: '', expires_at: toRfc3339(clock.now()) };
    }
    const { username, credential, expiresAtMs } = turnCredentials(secret, caller.claims.sid, clock.now());
    return { uris, username, credential, expires_at: toRfc3339(expiresAtMs) };
  },
});
