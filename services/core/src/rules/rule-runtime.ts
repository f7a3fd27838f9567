/**
 * Runs the rules engine inside the writer's transaction: offers each event, keeps condition state and timers as rows,
 * acts on decisions and files the traces. The compiled set changes only after the commit that changed a rule.
 */
import { newTraceId } from '@siphera/runtime/base';
import type { Rule, RuleInput } from '@siphera/contract';
import {
  changeRule,
  compileRules,
  evaluateEvent,
  evaluateTimer,
  withoutRule,
  withRule,
  type ConditionState,
  type EngineContext,
  type EngineEvent,
  type EngineRule,
  type Outcome,
  type RuleSet,
  type StateReader,
} from '@siphera/rules';
import type { Logger, Sqlite, Statement } from '@siphera/runtime/base';
import { clearTimer, setTimer, type Timer } from '../kernel/timers.ts';
import type { Listening } from '../events/listening.ts';
import type { Tx } from '../kernel/transaction.ts';
import type { RegistryIndex } from '../registry/store/registry-index.ts';
import type { ActOnDecision } from './act.ts';
import { engineDevice } from './engine-view.ts';
import { TraceRing } from './store/trace-ring.ts';

type StoredRule = { id: string; org_id: string; site_id: string; version: number; definition: string };

const nearMissEveryMs = 1_000;
const missedMax = 50_000;

export class RuleRuntime {
  readonly #db: Sqlite;
  readonly #index: RegistryIndex;
  readonly #log: Logger;
  readonly #listening: Listening;
  readonly #traces: TraceRing;
  readonly #readState: Statement<[string, string], { state: string }>;
  readonly #state: StateReader;
  /** When a near miss was last traced, by rule and key. */
  readonly #missed = new Map<string, Map<string, number>>();
  #missedCount = 0;
  #set: RuleSet;
  #act: ActOnDecision | undefined;

  constructor(options: { db: Sqlite; index: RegistryIndex; log: Logger; listening: Listening }) {
    this.#listening = options.listening;
    this.#db = options.db;
    this.#index = options.index;
    this.#log = options.log;
    this.#traces = new TraceRing(options.db);
    this.#readState = options.db.prepare('SELECT state FROM rule_states WHERE rule_id = ? AND key = ?');
    this.#state = { get: (ruleId, key) => this.#readCondition(ruleId, key) };
    this.#set = compileRules(this.#readRules());
  }

  /** What carries decisions out; set once, when the writer side is put together. */
  actWith(act: ActOnDecision): void {
    this.#act = act;
  }

  onEvent(tx: Tx, event: EngineEvent, traceId: string): void {
    this.#apply(tx, evaluateEvent(this.#set, event, this.#context(tx.nowMs), this.#state), event, traceId);
  }

  /** Timer handler for absence rules. */
  onTimer(tx: Tx, timer: Timer): void {
    const { rule_id, key } = JSON.parse(timer.payload) as { rule_id: string; key: string };
    const outcome = evaluateTimer(
      this.#set,
      { id: timer.key, rule_id, key, due_ms: timer.due_ms },
      this.#context(tx.nowMs),
      this.#state,
    );
    this.#apply(tx, outcome, undefined, newTraceId(tx.random));
  }

  /** A rule was saved (or removed, without `rule`) in this transaction. */
  ruleChanged(tx: Tx, ruleId: string, rule: EngineRule | undefined): void {
    const change = (set: RuleSet): RuleSet => (rule ? withRule(set, rule) : withoutRule(set, ruleId));
    const rows = this.#db
      .prepare<[string], { key: string; state: string }>(
        'SELECT key, state FROM rule_states WHERE rule_id = ?',
      )
      .all(ruleId)
      .map((row) => ({ key: row.key, state: JSON.parse(row.state) as ConditionState }));
    this.#apply(tx, changeRule(change(this.#set), ruleId, rows, tx.nowMs), undefined, newTraceId(tx.random));
    tx.afterCommit(() => {
      this.#set = change(this.#set);
    });
  }

  #readCondition(ruleId: string, key: string): ConditionState | undefined {
    const row = this.#readState.get(ruleId, key);
    return row ? (JSON.parse(row.state) as ConditionState) : undefined;
  }

  #context(nowMs: number): EngineContext {
    return {
      now_ms: nowMs,
      timeZone: (siteId) => this.#index.site(siteId)?.timeZone,
      armed: (areaId) => {
        const area = this.#index.area(areaId);
        return area ? { state: area.armed, changed_ms: area.armedChangedMs } : undefined;
      },
      device: (deviceId) => {
        const device = this.#index.device(deviceId);
        return device ? engineDevice(this.#index, device) : undefined;
      },
      deafMs: (fromMs, toMs) => this.#listening.deafMs(fromMs, toMs),
    };
  }

  #apply(tx: Tx, outcome: Outcome, event: EngineEvent | undefined, traceId: string): void {
    for (const write of outcome.writes) {
      if (write.state === null)
        this.#db
          .prepare('DELETE FROM rule_states WHERE rule_id = ? AND key = ?')
          .run(write.rule_id, write.key);
      else this.#saveState(write.rule_id, write.key, write.state);
    }
    for (const timer of outcome.timers) {
      if (timer.op === 'clear') clearTimer(tx, 'rules', timer.id);
      else
        setTimer(tx, {
          owner: 'rules',
          key: timer.id,
          orgId: this.#set.rules.get(timer.rule_id)?.rule.org_id ?? '',
          dueMs: timer.due_ms,
          payload: { rule_id: timer.rule_id, key: timer.key },
        });
    }
    const incidents = new Map<string, string>();
    for (const decision of outcome.decisions) {
      this.#db
        .prepare('UPDATE rules SET last_fired_ms = ?, fired_count = fired_count + 1 WHERE id = ?')
        .run(tx.nowMs, decision.rule_id);
      if (!this.#act) throw new Error('Nothing carries the decisions out');
      const incidentId = this.#act(tx, decision, event, traceId);
      if (incidentId !== undefined) incidents.set(decision.rule_id, incidentId);
    }
    for (const trace of outcome.traces) {
      if (trace.outcome === 'near_miss' && this.#isRecent(trace.rule_id, trace.key, tx.nowMs)) continue;
      this.#traces.add(
        tx,
        this.#set.rules.get(trace.rule_id)?.rule.org_id ?? '',
        trace,
        incidents.get(trace.rule_id),
      );
    }
    if (outcome.near_misses_left_off > 0)
      this.#log.debug('near_misses_left_off', { count: outcome.near_misses_left_off });
  }

  /** A reading that comes a hundred times a second misses a hundred times for the same reason: one trace a second says so. */
  #isRecent(ruleId: string, key: string, nowMs: number): boolean {
    // Two maps rather than one of joined names: this runs for each rule that looks at an event, and joining costs more.
    let ofRule = this.#missed.get(ruleId);
    const before = ofRule?.get(key);
    if (before !== undefined && nowMs - before < nearMissEveryMs) return true;
    if (this.#missedCount >= missedMax) {
      this.#missed.clear();
      this.#missedCount = 0;
      ofRule = undefined;
    }
    if (!ofRule) {
      ofRule = new Map<string, number>();
      this.#missed.set(ruleId, ofRule);
    }
    if (before === undefined || ofRule.size === 0) this.#missedCount += 1;
    ofRule.set(key, nowMs);
    return false;
  }

  #saveState(ruleId: string, key: string, state: ConditionState): void {
    const orgId = this.#set.rules.get(ruleId)?.rule.org_id ?? '';
    this.#db
      .prepare(
        `INSERT INTO rule_states (rule_id, key, org_id, state, expires_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (rule_id, key) DO UPDATE SET state = excluded.state, expires_ms = excluded.expires_ms`,
      )
      .run(ruleId, key, orgId, JSON.stringify(state), state.expires_ms);
  }

  #readRules(): EngineRule[] {
    const rows = this.#db
      .prepare<[], StoredRule>(
        'SELECT id, org_id, site_id, version, definition FROM rules WHERE deleted_ms IS NULL',
      )
      .all();
    return rows.map((row) => toEngineRule(row, JSON.parse(row.definition) as RuleInput));
  }
}

export function toEngineRule(
  row: Pick<Rule, 'id' | 'org_id' | 'site_id' | 'version'>,
  definition: RuleInput,
): EngineRule {
  const { name, enabled, trigger, conditions, count, cooldown_ms, actions } = definition;
  return {
    id: row.id,
    org_id: row.org_id,
    site_id: row.site_id,
    version: row.version,
    name,
    enabled,
    trigger,
    conditions,
    count,
    cooldown_ms,
    actions,
  };
}
