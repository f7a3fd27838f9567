/** Where incidents are, from core's feed. Kept, because the feed tells it once and the room of an incident stays. */
import type { FeedEntry } from '@siphera/contract';
import type { IncidentDirectory as Directory } from '../ground.ts';
import type { BaseStore, KnownIncident } from '../store/base.store.ts';

export class IncidentDirectory implements Directory {
  readonly #store: BaseStore;

  constructor(store: BaseStore) {
    this.#store = store;
  }

  get(incidentId: string): KnownIncident | undefined {
    return this.#store.incident(incidentId);
  }

  /** Entries may come twice. */
  hear(entries: readonly FeedEntry[]): void {
    for (const { kind, action, id, scopes } of entries) {
      if (kind !== 'incident') continue;
      const orgId = scopes.find((scope) => scope.startsWith('org:'))?.slice('org:'.length);
      if (action === 'deleted') this.#store.removeIncident(id);
      else if (orgId !== undefined) this.#store.putIncident({ id, orgId, scopes });
    }
  }
}
