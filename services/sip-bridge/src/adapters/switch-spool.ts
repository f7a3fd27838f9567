/**
 * `spool/events.sqlite`, into which Kamailio writes its reports and out of which the bridge takes them. Kamailio owns the file; it
 * may make it anew under us, and it must never wait for us: locks here are short, and ours wait little.
 */
import { existsSync, statSync } from 'node:fs';
import { openSharedDatabase, type Sqlite } from '@siphera/runtime';

export type SpoolRow = { id: number; body: string };
/** What stands in the way; undefined: nothing. */
export type SpoolProblem = { kind: 'missing' | 'broken' | 'busy'; detail: string };

/** A row that Kamailio writes takes some milliseconds; longer than this we come back later. */
const busyMsMax = 100;

export class SwitchSpool {
  readonly #path: string;
  #db: Sqlite | undefined;
  #inode: number | undefined;
  #problem: SpoolProblem | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  problem(): SpoolProblem | undefined {
    return this.#problem;
  }

  /** The oldest rows; none when it cannot be read, `problem` says why. */
  read(limit: number): SpoolRow[] {
    return (
      this.#use((db) =>
        db
          .prepare<[number], SpoolRow>('SELECT id, CAST(body AS TEXT) AS body FROM event ORDER BY id LIMIT ?')
          .all(limit),
      ) ?? []
    );
  }

  /** Those that fail to go come again. */
  remove(ids: readonly number[]): void {
    if (ids.length === 0) return;
    this.#use((db) => {
      const drop = db.prepare<[number]>('DELETE FROM event WHERE id = ?');
      db.transaction(() => ids.forEach((id) => drop.run(id))).immediate();
    });
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  #use<T>(work: (db: Sqlite) => T): T | undefined {
    try {
      const result = work(this.#open());
      this.#problem = undefined;
      return result;
    } catch (error) {
      this.#problem = problemOf(error, existsSync(this.#path));
      if (this.#problem.kind !== 'busy') this.close();
      return undefined;
    }
  }

  /** Anew when another file lies there: one that was deleted is nobody's any more, though we could still read it. */
  #open(): Sqlite {
    const { ino } = statSync(this.#path);
    if (this.#db && ino === this.#inode) return this.#db;
    this.close();
    this.#db = openSharedDatabase(this.#path, busyMsMax);
    // A deletion that a power cut undoes brings doubles, which are known by their uid: no fsync for it under WAL.
    this.#db.pragma('synchronous = NORMAL');
    this.#inode = ino;
    return this.#db;
  }
}

function problemOf(error: unknown, isThere: boolean): SpoolProblem {
  const detail = error instanceof Error ? error.message : String(error);
  const code = (error as { code?: unknown } | undefined)?.code;
  if (!isThere) return { kind: 'missing', detail: 'The SIP server has not made it yet.' };
  if (typeof code === 'string' && /^SQLITE_(?:BUSY|LOCKED)/.test(code)) return { kind: 'busy', detail };
  return { kind: 'broken', detail };
}
