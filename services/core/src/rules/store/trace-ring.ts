/** The ring of traces: why rules did and did not fire, bounded in bytes, oldest out first. */
import type { Trace } from '@siphera/rules';
import type { Sqlite } from '@siphera/runtime/base';
import type { Tx } from '../../kernel/transaction.ts';

/** About 100,000 traces. */
export const traceBytesMax = 64 * 1024 * 1024;
const trimEvery = 500;
const rowOverheadBytes = 200;

export class TraceRing {
  #bytes: number;
  #sinceTrim = 0;

  constructor(db: Sqlite) {
    this.#bytes =
      db.prepare<[], { bytes: number | null }>('SELECT sum(bytes) AS bytes FROM rule_traces').get()?.bytes ??
      0;
  }

  add(tx: Tx, orgId: string, trace: Trace, incidentId: string | undefined): void {
    const steps = JSON.stringify(trace.steps);
    const bytes =
      steps.length + trace.reason.length + trace.rule_name.length + trace.key.length + rowOverheadBytes;
    tx.db
      .prepare(
        `INSERT INTO rule_traces (id, org_id, rule_id, rule_name, rule_version, at_ms, outcome, reason, event_seq, incident_id, key, steps, bytes)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        tx.random.uuid(),
        orgId,
        trace.rule_id,
        trace.rule_name,
        trace.rule_version,
        trace.at_ms,
        trace.outcome,
        trace.reason,
        trace.event_seq ?? null,
        incidentId ?? null,
        trace.key,
        steps,
        bytes,
      );
    // Counted when it is there to stay: a full disk undoes the same traces each second.
    tx.afterCommit(() => {
      this.#bytes += bytes;
    });
    this.#sinceTrim += 1;
    if (this.#bytes > traceBytesMax && this.#sinceTrim >= trimEvery) this.#trim(tx);
  }

  /** Takes off the oldest thousand at a time: a delete that stays short. */
  #trim(tx: Tx): void {
    this.#sinceTrim = 0;
    const freed =
      tx.db
        .prepare<[], { bytes: number | null }>(
          'SELECT sum(bytes) AS bytes FROM (SELECT bytes FROM rule_traces ORDER BY n LIMIT 1000)',
        )
        .get()?.bytes ?? 0;
    tx.db
      .prepare('DELETE FROM rule_traces WHERE n IN (SELECT n FROM rule_traces ORDER BY n LIMIT 1000)')
      .run();
    tx.afterCommit(() => {
      this.#bytes -= freed;
    });
  }
}
