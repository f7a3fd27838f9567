/** Calls that were taken, with their answers: the same call again changes nothing and is answered alike. */
import type { Sqlite } from '@siphera/runtime';

export class TakenCallStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @param deviceId of the sender. */
  answerTo(deviceId: string, callId: string): unknown {
    const text = this.#db
      .prepare<[string, string], string>('SELECT answer FROM taken_calls WHERE device_id = ? AND call_id = ?')
      .pluck()
      .get(deviceId, callId);
    return text === undefined ? undefined : JSON.parse(text);
  }

  put(deviceId: string, callId: string, answer: unknown, nowMs: number): void {
    this.#db
      .prepare('INSERT INTO taken_calls (device_id, call_id, answer, at_ms) VALUES (?, ?, ?, ?)')
      .run(deviceId, callId, JSON.stringify(answer), nowMs);
  }

  /** @param prefix of the call ids, e.g. `direct:`. */
  forget(prefix: string, beforeMs: number): void {
    this.#db
      .prepare('DELETE FROM taken_calls WHERE at_ms < ? AND substr(call_id, 1, length(?)) = ?')
      .run(beforeMs, prefix, prefix);
  }
}
