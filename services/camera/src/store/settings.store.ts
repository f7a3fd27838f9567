/** How footage is handled on this box. Read often (each transcode asks), so it is held in memory too. */
import { FootageSettings } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';

/** Until somebody changes them. Two transcodes keep a small box's recorder its CPU. */
const footageSettingsDefault: FootageSettings = {
  reason_required: true,
  evidence_before_ms: 10_000,
  evidence_after_ms: 60_000,
  evidence_keep_days: 365,
  transcodes_max: 2,
};

export class SettingsStore {
  readonly #db: Sqlite;
  #settings: FootageSettings;

  constructor(db: Sqlite) {
    this.#db = db;
    const body = db.prepare<[], string>('SELECT body FROM settings').pluck().get();
    this.#settings = body === undefined ? footageSettingsDefault : FootageSettings.parse(JSON.parse(body));
  }

  get(): FootageSettings {
    return this.#settings;
  }

  put(settings: FootageSettings): void {
    this.#db
      .prepare(
        'INSERT INTO settings (only_row, body) VALUES (1, ?) ON CONFLICT (only_row) DO UPDATE SET body = excluded.body',
      )
      .run(JSON.stringify(settings));
    this.#settings = settings;
  }
}
