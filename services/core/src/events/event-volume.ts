/** Rows and bytes per class and hour, gathered in memory and written once a second in one small statement each. */
import type { Tx } from '../kernel/transaction.ts';

/** What a row costs besides its data: columns and its place in two indexes, measured on a filled database. */
const rowOverheadBytes = 420;
const hourMs = 3_600_000;

type Cell = { rows: number; bytes: number; seqMax: number };

export class EventVolume {
  readonly #cells = new Map<string, Cell>();

  add(klass: string, nowMs: number, dataBytes: number, seq: number): void {
    const key = `${klass} ${Math.floor(nowMs / hourMs)}`;
    const cell = this.#cells.get(key) ?? { rows: 0, bytes: 0, seqMax: 0 };
    cell.rows += 1;
    cell.bytes += dataBytes + rowOverheadBytes;
    cell.seqMax = Math.max(cell.seqMax, seq);
    this.#cells.set(key, cell);
  }

  save(tx: Tx): void {
    if (this.#cells.size === 0) return;
    const upsert = tx.db.prepare(
      `INSERT INTO event_volume (class, hour, rows, bytes, seq_max) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (class, hour) DO UPDATE SET rows = rows + excluded.rows, bytes = bytes + excluded.bytes, seq_max = max(seq_max, excluded.seq_max)`,
    );
    const saved = [...this.#cells].map(([key, cell]) => [key, { ...cell }] as const);
    for (const [key, cell] of saved) {
      const [klass, hour] = key.split(' ');
      upsert.run(klass, Number(hour), cell.rows, cell.bytes, cell.seqMax);
    }
    tx.afterCommit(() => {
      for (const [key, cell] of saved) this.#takeOff(key, cell);
    });
  }

  /** What the same commit, or the one after it, has added since stays for the next save. */
  #takeOff(key: string, saved: Cell): void {
    const cell = this.#cells.get(key);
    if (!cell) return;
    cell.rows -= saved.rows;
    cell.bytes -= saved.bytes;
    if (cell.rows === 0) this.#cells.delete(key);
  }
}
