/** People, sites and areas of the core for tests, as `/internal/v1/people` and `/internal/v1/places` show them. */
import {
  rolePermissions,
  type FeedEntry,
  type InternalPerson,
  type InternalPlaces,
  type Role,
} from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import type { z } from 'zod';

type Places = z.infer<typeof InternalPlaces>;

export class FakeDirectory {
  readonly people = new Map<string, InternalPerson>();
  readonly sites: Places['sites'] = [];
  readonly places: Places['areas'] = [];
  readonly #tell: (entry: Omit<FeedEntry, 'seq' | 'at'>) => void;

  constructor(tell: (entry: Omit<FeedEntry, 'seq' | 'at'>) => void) {
    this.#tell = tell;
  }

  /** Somebody with a role on the whole organisation, or with what is said instead. */
  addPerson(orgId: string, name: string, role: Role, change: Partial<InternalPerson> = {}): InternalPerson {
    const scope = `org:${orgId}`;
    const person: InternalPerson = {
      id: systemRandom.uuid(),
      org_id: orgId,
      name,
      active: true,
      roles: [{ role, scope, scope_name: 'Organisation' }],
      site_ids: this.sites.map(({ id }) => id),
      grants: [{ permissions: [...rolePermissions[role]], scope }],
      on_duty: false,
      ...change,
    };
    this.people.set(person.id, person);
    this.#changed('user', 'created', person.id, orgId);
    return person;
  }

  changePerson(id: string, change: Partial<InternalPerson>): void {
    const person = this.people.get(id);
    if (!person) throw new Error(`There is no person ${id}`);
    this.people.set(id, { ...person, ...change });
    this.#changed('user', 'updated', id, person.org_id);
  }

  removePerson(id: string): void {
    const person = this.people.get(id);
    if (!person) throw new Error(`There is no person ${id}`);
    this.people.delete(id);
    this.#changed('user', 'deleted', id, person.org_id);
  }

  addSite(site: Places['sites'][number]): void {
    this.sites.push(site);
    this.#changed('site', 'created', site.id, site.org_id);
  }

  /** An area in a site, or in another area of it. */
  addArea(area: Omit<Places['areas'][number], 'scopes'>): void {
    const above = this.places.find(({ id }) => id === area.parent_id)?.scopes;
    const scopes = [`area:${area.id}`, ...(above ?? [`site:${area.site_id}`, `org:${area.org_id}`])];
    this.places.push({ ...area, scopes });
    this.#changed('area', 'created', area.id, area.org_id);
  }

  #changed(kind: 'user' | 'site' | 'area', action: FeedEntry['action'], id: string, orgId: string): void {
    this.#tell({ kind, action, id, audience: 'registry.read', scopes: [`org:${orgId}`] });
  }
}
