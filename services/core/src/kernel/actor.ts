/** Who acts. Every use case gets one; the system, a rule and a device are actors too, so that the audit names them. */
import type { AccessClaims, Grant } from '@siphera/contract';

export type ActorKind = 'user' | 'api_key' | 'service' | 'device' | 'system' | 'rule';

export type Actor = {
  kind: ActorKind;
  id: string;
  name: string;
  orgId: string;
  /** Device session of a user. */
  sid?: string;
  grants: readonly Grant[];
  address: string;
};

export function actorFromClaims(claims: AccessClaims, address: string): Actor {
  return {
    kind: claims.kind,
    id: claims.sub,
    name: claims.name,
    orgId: claims.org,
    sid: claims.sid,
    grants: claims.grants,
    address,
  };
}

/** The box acting by itself on behalf of an org; it is granted nothing and passes no `authorise`. */
export const systemActor = (orgId: string): Actor => ({
  kind: 'system',
  id: 'system',
  name: 'Siphera',
  orgId,
  grants: [],
  address: '',
});
