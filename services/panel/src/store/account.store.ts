/**
 * Accounts and their zone maps. All accounts are also held in memory, because every frame asks for one; every change
 * goes through here, so memory and file never differ.
 */
import type { KeyBox, Sqlite } from '@siphera/runtime';
import {
  indexZones,
  zoneKey,
  type Account,
  type AccountState,
  type SupervisionState,
  type Transport,
  type Zone,
} from '../domain/account.ts';

/** Unknown accounts kept for adoption. A flood of invented numbers must not fill the disk; their events go to core all the same. */
export const waitingMax = 500;

export type AccountRow = {
  id: string;
  account: string;
  org_id: string | null;
  site_id: string | null;
  state: AccountState;
  name: string;
  device_id: string | null;
  area_id: string | null;
  key_sealed: Buffer | null;
  key_bits: 128 | 192 | 256 | null;
  require_encryption: 0 | 1;
  supervision_ms: number | null;
  supervision: SupervisionState;
  heard_ms: number | null;
  first_seen_ms: number | null;
  last_seen_ms: number | null;
  last_address: string | null;
  transport: Transport | null;
  frames: number;
  bad_frames: number;
  created_ms: number;
};

/** What a batch of frames says about an account. */
export type Sighting = {
  account: string;
  transport: Transport;
  address: string;
  frames: number;
  bad: number;
  /** Counts for supervision. */
  heard: boolean;
  /** May be put on the waiting list. */
  listable: boolean;
};

const writable = [
  'id',
  'account',
  'org_id',
  'site_id',
  'state',
  'name',
  'device_id',
  'area_id',
  'key_sealed',
  'key_bits',
  'require_encryption',
  'supervision_ms',
  'supervision',
  'heard_ms',
  'first_seen_ms',
  'last_seen_ms',
  'last_address',
  'transport',
  'frames',
  'bad_frames',
  'created_ms',
] as const;

export class AccountStore {
  readonly #db: Sqlite;
  readonly #keys: KeyBox;
  readonly #byNumber = new Map<string, Account>();
  #waiting = 0;

  constructor(db: Sqlite, keys: KeyBox) {
    this.#db = db;
    this.#keys = keys;
    for (const row of this.list()) this.#remember(row);
  }

  /** By account number, upper case; from memory. */
  find(account: string): Account | undefined {
    return this.#byNumber.get(account);
  }

  all(): Account[] {
    return [...this.#byNumber.values()];
  }

  get(id: string): AccountRow | undefined {
    return this.#db.prepare<[string], AccountRow>('SELECT * FROM accounts WHERE id = ?').get(id);
  }

  list(): AccountRow[] {
    return this.#db.prepare<[], AccountRow>('SELECT * FROM accounts ORDER BY account').all();
  }

  /** Inserts or replaces a whole row. Call inside a transaction, then `refresh` after its commit. */
  save(row: AccountRow): void {
    const names = writable.join(', ');
    const values = writable.map((column) => `@${column}`).join(', ');
    const updates = writable.filter((column) => column !== 'id').map((column) => `${column} = @${column}`);
    this.#db
      .prepare(
        `INSERT INTO accounts (${names}) VALUES (${values}) ON CONFLICT (id) DO UPDATE SET ${updates.join(', ')}`,
      )
      .run(row);
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM accounts WHERE id = ?').run(id);
  }

  zones(id: string): Zone[] {
    return this.#db
      .prepare<
        [string],
        { partition: string; zone: string; name: string; device_id: string | null; area_id: string | null }
      >('SELECT * FROM zones WHERE account_id = ? ORDER BY partition, zone')
      .all(id)
      .map((row) => ({
        partition: row.partition === '' ? null : row.partition,
        zone: row.zone === '' ? null : row.zone,
        name: row.name,
        deviceId: row.device_id,
        areaId: row.area_id,
      }));
  }

  /** Replaces the map. Two entries for one place (`5` and `005`) are the caller's error. */
  replaceZones(id: string, zones: readonly Zone[]): void {
    this.#db.prepare('DELETE FROM zones WHERE account_id = ?').run(id);
    const insert = this.#db.prepare(
      'INSERT INTO zones (account_id, partition, zone, name, device_id, area_id) VALUES (?, ?, ?, ?, ?, ?)',
    );
    for (const zone of zones)
      insert.run(id, zone.partition ?? '', zone.zone ?? '', zone.name, zone.deviceId, zone.areaId);
  }

  /** Updates or adds the given places, leaving the others. */
  mergeZones(id: string, zones: readonly Zone[]): void {
    const merged = new Map(this.zones(id).map((zone) => [zoneKey(zone.partition, zone.zone), zone]));
    for (const zone of zones) merged.set(zoneKey(zone.partition, zone.zone), zone);
    this.replaceZones(id, [...merged.values()]);
  }

  /** Notes that an account was heard; a number not known yet is put on the waiting list while there is room. */
  sight(seen: Sighting, makeId: () => string, nowMs: number): void {
    if (!this.#byNumber.has(seen.account)) {
      if (!seen.listable || this.#waiting >= waitingMax) return;
      this.#db
        .prepare(
          "INSERT INTO accounts (id, account, state, first_seen_ms, created_ms) VALUES (?, ?, 'waiting', ?, ?)",
        )
        .run(makeId(), seen.account, nowMs, nowMs);
      this.refresh(seen.account);
    }
    const { account, transport, address, frames, bad } = seen;
    this.#sighted.run({ account, transport, address, frames, bad, heard: seen.heard ? 1 : 0, now: nowMs });
  }

  /** Sets the supervision state and, when given, the base of its timer. */
  setSupervision(id: string, state: SupervisionState, heardMs?: number): void {
    this.#db
      .prepare('UPDATE accounts SET supervision = ?, heard_ms = coalesce(?, heard_ms) WHERE id = ?')
      .run(state, heardMs ?? null, id);
    const row = this.get(id);
    if (row) this.#remember(row);
  }

  /** Moves every running timer on by time that was not silence. */
  shiftHeard(byMs: number): void {
    this.#db
      .prepare('UPDATE accounts SET heard_ms = heard_ms + ? WHERE heard_ms IS NOT NULL')
      .run(Math.round(byMs));
  }

  /** Supervised accounts that are not lost yet, with their timer. */
  supervised(): { account: Account; supervisionMs: number; heardMs: number }[] {
    return this.#db
      .prepare<[], { account: string; supervision_ms: number; heard_ms: number }>(
        "SELECT account, supervision_ms, heard_ms FROM accounts WHERE supervision = 'ok' AND heard_ms IS NOT NULL",
      )
      .all()
      .flatMap((row) => {
        const account = this.find(row.account);
        return account ? [{ account, supervisionMs: row.supervision_ms, heardMs: row.heard_ms }] : [];
      });
  }

  /** Reads one account again into memory; forgets it when it is gone. */
  refresh(account: string): void {
    const row = this.#db
      .prepare<[string], AccountRow>('SELECT * FROM accounts WHERE account = ?')
      .get(account);
    if (row) this.#remember(row);
    else this.#forget(account);
  }

  /** Reads everything again: after a transaction that was rolled back. */
  reload(): void {
    for (const account of [...this.#byNumber.keys()]) this.#forget(account);
    for (const row of this.list()) this.#remember(row);
  }

  #remember(row: AccountRow): void {
    this.#forget(row.account);
    if (row.state === 'waiting') this.#waiting += 1;
    this.#byNumber.set(row.account, {
      id: row.id,
      account: row.account,
      orgId: row.org_id,
      siteId: row.site_id,
      state: row.state,
      name: row.name,
      deviceId: row.device_id,
      areaId: row.area_id,
      key: row.key_sealed ? this.#keys.open(row.key_sealed, row.account) : null,
      requireEncryption: row.require_encryption === 1,
      supervisionMs: row.supervision_ms,
      supervision: row.supervision,
      zones: indexZones(this.zones(row.id)),
    });
  }

  #forget(account: string): void {
    if (this.#byNumber.get(account)?.state === 'waiting') this.#waiting -= 1;
    this.#byNumber.delete(account);
  }

  get #sighted() {
    return (this.#sightedStatement ??= this.#db.prepare(
      `UPDATE accounts SET last_seen_ms = @now, heard_ms = iif(@heard = 1, @now, heard_ms),
         first_seen_ms = coalesce(first_seen_ms, @now), last_address = @address, transport = @transport,
         frames = frames + @frames, bad_frames = bad_frames + @bad WHERE account = @account`,
    ));
  }
  #sightedStatement: ReturnType<Sqlite['prepare']> | undefined;
}
