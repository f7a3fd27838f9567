/** State and timers in memory: what a caller's tables must do, in few lines. Used by tests, benches and dry runs. */
import type { ConditionState, Outcome, StateReader, Timer } from './types.ts';

export class MemoryState implements StateReader {
  readonly #rows = new Map<string, ConditionState>();
  readonly #timers = new Map<string, Timer>();

  get(ruleId: string, key: string): ConditionState | undefined {
    return this.#rows.get(`${ruleId}|${key}`);
  }

  /** Takes over what an evaluation asked for. */
  apply(outcome: Pick<Outcome, 'writes' | 'timers'>): void {
    for (const { rule_id, key, state } of outcome.writes) {
      if (state) this.#rows.set(`${rule_id}|${key}`, state);
      else this.#rows.delete(`${rule_id}|${key}`);
    }
    for (const { op, ...timer } of outcome.timers) {
      if (op === 'set') this.#timers.set(timer.id, timer as Timer);
      else this.#timers.delete(timer.id);
    }
  }

  /** The earliest timer due by then; ties go by id. */
  nextDue(untilMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.due_ms > untilMs) continue;
      if (!first || timer.due_ms < first.due_ms || (timer.due_ms === first.due_ms && timer.id < first.id)) {
        first = timer;
      }
    }
    return first;
  }

  /** All rows of a rule, for `changeRule`. */
  rowsOf(ruleId: string): { key: string; state: ConditionState }[] {
    const rows = [...this.#rows].filter(([id]) => id.startsWith(`${ruleId}|`));
    return rows.map(([id, state]) => ({ key: id.slice(ruleId.length + 1), state }));
  }

  /** Forgets rows that say nothing any more; doing so at any moment changes no outcome. */
  prune(nowMs: number): void {
    for (const [id, state] of this.#rows) {
      if (state.expires_ms !== null && state.expires_ms < nowMs) this.#rows.delete(id);
    }
  }

  /** What would be in the tables, as text. */
  serialise(): string {
    return JSON.stringify({ rows: [...this.#rows], timers: [...this.#timers] });
  }

  static restore(text: string): MemoryState {
    const saved = JSON.parse(text) as { rows: [string, ConditionState][]; timers: [string, Timer][] };
    const state = new MemoryState();
    for (const [id, row] of saved.rows) state.#rows.set(id, row);
    for (const [id, timer] of saved.timers) state.#timers.set(id, timer);
    return state;
  }
}
