/**
 * What the maker of a link may do now, asked of core and kept for seconds: a link dies with the rights of who made it, also
 * when those were taken away while this service did not run. While core is away the last answer holds for a minute.
 */
import { InternalGrants, internalPaths, isGranted, type Permission } from '@siphera/contract';
import { AppError, type Clock, type InternalClient } from '@siphera/runtime';
import type { KnownCamera } from '../../domain/camera.ts';
import type { LinkRow } from '../../store/link.store.ts';

const freshMs = 3_000;
const goodMs = 60_000;
const rememberedMax = 1_000;

type Known = { grants: InternalGrants['grants']; atMs: number };

export const permissionOf = (kind: LinkRow['kind']): Permission =>
  kind === 'clip' ? 'camera.export' : 'camera.live';

export class MakerRights {
  readonly #client: Pick<InternalClient, 'call'>;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(options: { client: Pick<InternalClient, 'call'>; clock: Clock }) {
    this.#client = options.client;
    this.#clock = options.clock;
  }

  /** @throws AppError `unavailable` when core was not heard for too long. */
  async mayStill(link: LinkRow, camera: KnownCamera): Promise<boolean> {
    const grants = await this.#grants(link);
    return camera.orgId === link.orgId && isGranted(grants, permissionOf(link.kind), camera.scopes);
  }

  async #grants({ makerKind, makerId }: LinkRow): Promise<Known['grants']> {
    const key = `${makerKind} ${makerId}`;
    const known = this.#known.get(key);
    const ageMs = known ? this.#clock.monotonic() - known.atMs : Infinity;
    if (known && ageMs < freshMs) return known.grants;
    try {
      const path = `${internalPaths.grants}?kind=${makerKind}&id=${encodeURIComponent(makerId)}`;
      const { active, grants } = InternalGrants.parse(await this.#client.call('GET', path));
      if (this.#known.size >= rememberedMax) this.#known.clear();
      const fresh = { grants: active ? grants : [], atMs: this.#clock.monotonic() };
      this.#known.set(key, fresh);
      return fresh.grants;
    } catch (error) {
      if (known && ageMs < goodMs) return known.grants;
      throw new AppError('unavailable', 'Core is not heard, so the link cannot be checked.', {
        cause: error,
      });
    }
  }
}
