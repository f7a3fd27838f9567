import { describe, expect, it } from 'vitest';
import { actorWith, openMemory, seedBuilding } from '../testing/memory-box.ts';
import { authorise, authoriseOn, scopesOf, visibleSql } from './access.ts';

const columns = { org: 'd.org_id', site: 'd.site_id', area: 'd.area_id', device: 'd.id' };

function visibleDevices(
  scope: (ids: ReturnType<typeof seedBuilding>) => string,
  role: 'guard' | 'viewer' = 'viewer',
) {
  const { db } = openMemory();
  const ids = seedBuilding(db);
  const visible = visibleSql(db, actorWith(role, ids.org, scope(ids)), 'registry.read', columns);
  return db
    .prepare<unknown[], { name: string }>(`SELECT d.name FROM devices d WHERE ${visible.sql}`)
    .all(...visible.params)
    .map((row) => row.name);
}

describe('scopes', () => {
  it('names a thing and everything above it', () => {
    const { db } = openMemory();
    const ids = seedBuilding(db);
    expect(scopesOf(db, { kind: 'device', id: ids.door })?.scopes).toEqual([
      `device:${ids.door}`,
      `area:${ids.dock}`,
      `area:${ids.hall}`,
      `site:${ids.site}`,
      `org:${ids.org}`,
    ]);
  });

  it('covers areas below the one that was granted, and no other', () => {
    expect(visibleDevices((ids) => `area:${ids.hall}`)).toEqual(['Dock door']);
    expect(visibleDevices((ids) => `area:${ids.office}`)).toEqual([]);
  });

  it('shows nothing for a grant on another org, even by its scope key', () => {
    expect(visibleDevices((ids) => `org:${ids.other}`)).toEqual([]);
  });
});

describe('authorisation', () => {
  it('fails closed without a grant', () => {
    const { db } = openMemory();
    const ids = seedBuilding(db);
    expect(() =>
      authorise({ ...actorWith('viewer', ids.org, `org:${ids.org}`), grants: [] }, 'registry.read', [
        `org:${ids.org}`,
      ]),
    ).toThrow('registry.read');
  });

  it('tells who may read that he may not act, and everybody else that there is no such thing', () => {
    const { db } = openMemory();
    const ids = seedBuilding(db);
    const door = scopesOf(db, { kind: 'device', id: ids.door });
    expect(() =>
      authoriseOn(
        actorWith('viewer', ids.org, `org:${ids.org}`),
        { read: 'registry.read', act: 'device.command' },
        door,
      ),
    ).toThrow('device.command');
    expect(() =>
      authoriseOn(
        actorWith('admin', ids.other, `org:${ids.other}`),
        { read: 'registry.read', act: 'device.command' },
        door,
      ),
    ).toThrow('no such thing');
    // A grant on a foreign org's scope does not open it: the actor's own org decides first.
    expect(() =>
      authoriseOn(actorWith('admin', ids.other, `org:${ids.org}`), { read: 'registry.read' }, door),
    ).toThrow('no such thing');
  });
});
