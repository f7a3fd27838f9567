/** The map of an account over REST: read, replace, CSV with a preview that names each bad row. */
import type { panelRoutes } from '@siphera/contract';
import { AppError, type Handlers } from '@siphera/runtime';
import { zoneKey, type Zone } from '../domain/account.ts';
import { readZoneCsv, zoneRowsMax } from '../domain/zone-csv.ts';
import type { AccountStore } from '../store/account.store.ts';
import { accountFor } from './access.ts';
import type { Changes } from './changes.ts';
import { fromZoneMapping, toImportReport, toZoneMapping } from './wire.ts';

type ZoneHandlers = Pick<
  Handlers<typeof panelRoutes>,
  'listZones' | 'putZones' | 'previewZoneImport' | 'importZones'
>;

export function zoneHandlers({
  accounts,
  changes,
}: {
  accounts: AccountStore;
  changes: Changes;
}): ZoneHandlers {
  return {
    listZones: async ({ caller, params }) => {
      const row = accountFor(accounts, caller, 'panel.read', params.id);
      return { items: accounts.zones(row.id).map(toZoneMapping) };
    },

    putZones: async ({ caller, params, body }) => {
      const row = accountFor(accounts, caller, 'panel.manage', params.id);
      const zones = body.items.map(fromZoneMapping);
      requireDistinct(zones);
      changes.apply(
        caller,
        { action: 'panel_zones.replace', account: row.account, detail: { zones: zones.length } },
        () => accounts.replaceZones(row.id, zones),
      );
      return { items: accounts.zones(row.id).map(toZoneMapping) };
    },

    previewZoneImport: async ({ caller, params, body }) => {
      const row = accountFor(accounts, caller, 'panel.manage', params.id);
      return toImportReport(readZoneCsv(body.csv, accounts.zones(row.id)), false);
    },

    importZones: async ({ caller, params, body }) => {
      const row = accountFor(accounts, caller, 'panel.manage', params.id);
      const existing = accounts.zones(row.id);
      const rows = readZoneCsv(body.csv, existing);
      if (rows.some((one) => one.action === 'error')) return toImportReport(rows, false);
      const added = rows.filter((one) => one.action === 'create').length;
      if (existing.length + added > zoneRowsMax) {
        throw new AppError('unprocessable', `A map has at most ${zoneRowsMax} entries.`);
      }
      changes.apply(
        caller,
        { action: 'panel_zones.import', account: row.account, detail: { rows: rows.length, added } },
        () =>
          accounts.mergeZones(
            row.id,
            rows.map((one) => one.zone),
          ),
      );
      return toImportReport(rows, true);
    },
  };
}

/** @throws AppError when two entries stand for one place (`5` and `005` are one), or an entry for none. */
function requireDistinct(zones: readonly Zone[]): void {
  const seen = new Set<string>();
  for (const zone of zones) {
    if (zone.partition === null && zone.zone === null) {
      throw new AppError('validation_failed', `"${zone.name}" needs a partition, a zone, or both.`);
    }
    const key = zoneKey(zone.partition, zone.zone);
    if (seen.has(key))
      throw new AppError('validation_failed', `"${zone.name}": its partition and zone are listed twice.`);
    seen.add(key);
  }
}
