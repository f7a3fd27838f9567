/**
 * Credentials of softphones, as Kamailio's auth_ephemeral takes them: whoever knows the secret may make them, and Kamailio asks nobody.
 * What must stay true: they name one number, and end within the hour.
 */
import { createHmac } from 'node:crypto';

/** A console that is gone without a word can be dialled from for so long; Kamailio is told of those that end before. */
const credentialLifeSeconds = 3_600;

export type SoftphoneCredential = { username: string; password: string; expiresSeconds: number };

/** @param laterThan expiry that Kamailio was told to refuse for this number (Unix seconds): the new one is good although that is not. */
export function softphoneCredential(
  secret: string,
  number: string,
  nowMs: number,
  laterThan = 0,
): SoftphoneCredential {
  const expiresSeconds = Math.max(Math.floor(nowMs / 1_000) + credentialLifeSeconds, laterThan + 1);
  const username = `${expiresSeconds}:${number}`;
  // SHA-1 is what auth_ephemeral is set to; as an HMAC it is not broken.
  const password = createHmac('sha1', secret).update(username).digest('base64');
  return { username, password, expiresSeconds };
}
