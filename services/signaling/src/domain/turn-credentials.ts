/**
 * Credentials of the relay (TURN REST API, draft-uberti-behave-turn-rest): whoever knows the secret that coturn has may make
 * them, and coturn asks nobody. What must stay true: they name the session they were made for, and end within the hour.
 */
import { createHmac } from 'node:crypto';

/** A call that began with them may go on: coturn looks at the end of credentials when an allocation is made, not when it is renewed. */
const lifeSeconds = 3_600;

export type RelayCredentials = { username: string; credential: string; expiresAtMs: number };

/** @param secret as coturn's `static-auth-secret` has it. @param nowMs milliseconds since 1970. */
export function turnCredentials(secret: string, sessionId: string, nowMs: number): RelayCredentials {
  const expiresAtSeconds = Math.floor(nowMs / 1_000) + lifeSeconds;
  const username = `${expiresAtSeconds}:${sessionId}`;
  // SHA-1 is what the REST API of coturn takes; as an HMAC it is not broken.
  const credential = createHmac('sha1', secret).update(username).digest('base64');
  return { username, credential, expiresAtMs: expiresAtSeconds * 1_000 };
}
