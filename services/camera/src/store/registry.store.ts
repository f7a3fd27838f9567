/** What core last said about cameras and areas, and how far its feed was followed. */
import { InternalArea, InternalDevice } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

export type Registry = { devices: InternalDevice[]; areas: InternalArea[] };

export class RegistryStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  read(): Registry {
    const bodies = (kind: 'device' | 'area'): unknown[] =>
      this.#db
        .prepare<[string], { body: string }>('SELECT body FROM registry WHERE kind = ?')
        .all(kind)
        .map(({ body }) => JSON.parse(body) as unknown);
    return {
      devices: bodies('device').map((body) => InternalDevice.parse(body)),
      areas: bodies('area').map((body) => InternalArea.parse(body)),
    };
  }

  replace({ devices, areas }: Registry): void {
    const add = this.#db.prepare('INSERT OR REPLACE INTO registry (id, kind, body) VALUES (?, ?, ?)');
    this.#db
      .transaction(() => {
        this.#db.prepare('DELETE FROM registry').run();
        for (const device of devices) add.run(device.id, 'device', JSON.stringify(device));
        for (const area of areas) add.run(area.id, 'area', JSON.stringify(area));
      })
      .immediate();
  }

  put(device: InternalDevice): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO registry (id, kind, body) VALUES (?, ?, ?)')
      .run(device.id, 'device', JSON.stringify(device));
  }

  feedPosition(): number | undefined {
    return this.#db.prepare<[], number>('SELECT seq FROM feed_position').pluck().get();
  }

  setFeedPosition(seq: number): void {
    this.#db
      .prepare(
        'INSERT INTO feed_position (only_row, seq) VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET seq = excluded.seq',
      )
      .run(seq);
  }
}
