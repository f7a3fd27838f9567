/** Trunks. Their passwords are sealed; the key lies outside of the file. */
import { TrunkInput } from '@siphera/contract';
import type { KeyBox, Sqlite } from '@siphera/runtime';
import type { PlannedTrunk } from '../plan.part.ts';

type Row = { id: string; org_id: string; body: string; revision: number; has_password: number };

export class TrunkStore {
  readonly #db: Sqlite;
  readonly #box: KeyBox;

  constructor(db: Sqlite, box: KeyBox) {
    this.#db = db;
    this.#box = box;
  }

  /** In the order in which they are tried. */
  all(): PlannedTrunk[] {
    return this.#db
      .prepare<[], Row>(
        'SELECT id, org_id, body, revision, password IS NOT NULL AS has_password FROM trunks ORDER BY id',
      )
      .all()
      .map((row) => ({
        ...TrunkInput.parse(JSON.parse(row.body)),
        id: row.id,
        org_id: row.org_id,
        revision: row.revision,
        has_password: row.has_password === 1,
      }))
      .sort((a, b) => a.priority - b.priority);
  }

  /** @throws Error when the key is another one than it was sealed with. */
  password(id: string): string {
    const sealed = this.#db
      .prepare<[string], Buffer | null>('SELECT password FROM trunks WHERE id = ?')
      .pluck()
      .get(id);
    return sealed ? this.#box.open(sealed, `trunk:${id}`).toString('utf8') : '';
  }

  add(
    trunk: { id: string; orgId: string; input: TrunkInput; password: string | undefined },
    nowMs: number,
  ): void {
    this.#db
      .prepare(
        'INSERT INTO trunks (id, org_id, body, password, revision, created_ms) VALUES (?, ?, ?, ?, 1, ?)',
      )
      .run(trunk.id, trunk.orgId, JSON.stringify(trunk.input), this.#seal(trunk.id, trunk.password), nowMs);
  }

  /** @param password undefined stays as it is, empty takes it away. @returns false when it was changed in the meantime. */
  change(id: string, revision: number, input: TrunkInput, password: string | undefined): boolean {
    const changed = this.#db
      .prepare('UPDATE trunks SET body = ?, revision = revision + 1 WHERE id = ? AND revision = ?')
      .run(JSON.stringify(input), id, revision).changes;
    if (changed === 0) return false;
    if (password !== undefined)
      this.#db.prepare('UPDATE trunks SET password = ? WHERE id = ?').run(this.#seal(id, password), id);
    return true;
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM trunks WHERE id = ?').run(id);
  }

  /** Addresses that this host name last had. */
  addresses(id: string, host: string): string[] {
    return this.#db
      .prepare<[string, string], string>(
        'SELECT address FROM trunk_addresses WHERE trunk_id = ? AND host = ? ORDER BY place',
      )
      .pluck()
      .all(id, host);
  }

  setAddresses(id: string, host: string, addresses: readonly string[]): void {
    this.#db
      .transaction(() => {
        this.#db.prepare('DELETE FROM trunk_addresses WHERE trunk_id = ?').run(id);
        const add = this.#db.prepare(
          'INSERT INTO trunk_addresses (trunk_id, host, address, place) VALUES (?, ?, ?, ?)',
        );
        for (const [place, address] of addresses.entries()) add.run(id, host, address, place);
      })
      .immediate();
  }

  /** Since when it is gone; undefined: it is not, as far as was told. */
  lostSince(id: string): number | undefined {
    return this.#db
      .prepare<[string], number>('SELECT since_ms FROM lost_trunks WHERE trunk_id = ?')
      .pluck()
      .get(id);
  }

  setLost(id: string, sinceMs: number): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO lost_trunks (trunk_id, since_ms) VALUES (?, ?)')
      .run(id, sinceMs);
  }

  setFound(id: string): void {
    this.#db.prepare('DELETE FROM lost_trunks WHERE trunk_id = ?').run(id);
  }

  #seal(id: string, password: string | undefined): Buffer | null {
    return password === undefined || password === ''
      ? null
      : this.#box.seal(Buffer.from(password, 'utf8'), `trunk:${id}`);
  }
}
