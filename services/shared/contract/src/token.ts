/** Claims of an access token (JWT, EdDSA). Every service checks it alone against core's JWKS and the feed's revocations. */
import { z } from 'zod';
import { Grant } from './permissions.ts';
import { Uuid } from './primitives.ts';

/** Life of an access token. Services keep a revocation for one token life, so it also bounds their memory. */
export const accessTokenLifeSeconds = 300;
export const tokenIssuer = 'siphera';
export const tokenAudience = 'siphera-box';

export const AccessClaims = z.object({
  iss: z.literal(tokenIssuer),
  aud: z.literal(tokenAudience),
  sub: Uuid.meta({ description: 'User id, or the API key id for a key' }),
  sid: Uuid.meta({ description: 'Device session id, or the API key id' }),
  kind: z.enum(['user', 'api_key', 'service']),
  org: Uuid,
  name: z.string(),
  grants: z.array(Grant),
  iat: z.number().meta({ description: 'Seconds, with milliseconds as the fraction' }),
  exp: z.int(),
});
export type AccessClaims = z.infer<typeof AccessClaims>;
