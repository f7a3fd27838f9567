/** The internal reading of what somebody may do now, for services that keep something of his beyond a token's life. */
import type { InternalGrants } from '@siphera/contract';
import { z } from 'zod';
import type { AppDeps } from '../../app-deps.ts';
import { presentGrants } from '../store/present-grants.store.ts';

const Query = z.object({ kind: z.enum(['user', 'api_key', 'service']), id: z.string().max(64) });

export const readPresentGrants = (
  { db, clock }: Pick<AppDeps, 'db' | 'clock'>,
  query: unknown,
): InternalGrants => presentGrants(db, Query.parse(query), clock.now());
