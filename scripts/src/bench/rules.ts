/**
 * The rules engine beside json-rules-engine and json-logic-engine, in one run on the same rules and events. All sides
 * must come to the same verdicts, or the run stops. Figures are ratios of this run; see docs/design/rules.md.
 */
import { compileRules, evaluateEvent, MemoryState, type EngineEvent, type EngineRule } from '@siphera/rules';
import { LogicEngine } from 'json-logic-engine';
import { Engine } from 'json-rules-engine';
import type { BenchOptions, BenchRow } from './bench-row.ts';
import { benchEvent, benchRule, context, facts, toJsonLogic, toJsonRule } from './rules-cases.ts';

/** Runs all cases; a few seconds each. */
export async function benchRules({ progress }: Pick<BenchOptions, 'progress'>): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  progress('one event against many rules');
  for (const count of [1_000, 10_000]) {
    for (const shape of ['building', 'one type'] as const) rows.push(await perEvent(count, shape));
  }
  rows.push(perSecond());
  return rows;
}

async function perEvent(count: number, shape: 'building' | 'one type'): Promise<BenchRow> {
  const rules = Array.from({ length: count }, (_, index) => benchRule(index, shape));
  const events = Array.from({ length: 64 }, (_, index) => benchEvent(index, shape));
  const ours = timeOurs(rules, events, shape === 'building' ? 200_000 : 2_000);
  const peer = await timePeer(rules, events.slice(0, count > 1_000 ? 5 : 20));
  for (const [index, fired] of peer.fired.entries()) {
    if (fired !== ours.fired[index]) {
      throw new Error(`event ${index}: ours fired ${ours.fired[index]} rules, json-rules-engine ${fired}`);
    }
  }
  const what = `${count.toLocaleString('en')} rules, ${shape}: one event`;
  const target = count === 10_000 ? { target: { ours: 1 } } : {};
  return {
    what,
    ours: ours.ms,
    unit: 'ms',
    better: 'less',
    peer: peer.ms,
    peerName: 'json-rules-engine',
    ...target,
  };
}

function timeOurs(
  rules: EngineRule[],
  events: EngineEvent[],
  times: number,
): { ms: number; fired: number[] } {
  const set = compileRules(rules);
  const state = new MemoryState();
  const fired = events.map((event) => evaluateEvent(set, event, context, state).decisions.length);
  const run = (): void => {
    for (let turn = 0; turn < times; turn += 1) {
      const event = events[turn % events.length];
      if (event) evaluateEvent(set, event, context, state);
    }
  };
  return { ms: fastest(run) / times, fired };
}

async function timePeer(
  rules: EngineRule[],
  events: EngineEvent[],
): Promise<{ ms: number; fired: number[] }> {
  const engine = new Engine(rules.map(toJsonRule), { allowUndefinedFacts: true });
  const fired: number[] = [];
  let bestMs = Infinity;
  for (const event of events) {
    const from = performance.now();
    const result = await engine.run(facts(event));
    bestMs = Math.min(bestMs, performance.now() - from);
    fired.push(result.events.length);
  }
  return { ms: bestMs, fired };
}

/** One condition of five clauses, over data that passes, so that each side has to look at all five. */
function perSecond(): BenchRow {
  const rule = benchRule(3, 'one type');
  const set = compileRules([rule]);
  const conditions = set.rules.get(rule.id)?.conditions;
  const theirs = new LogicEngine().build(toJsonLogic(rule)) as (data: unknown) => unknown;
  if (!conditions) throw new Error('the rule did not compile');
  const mine = (data: EngineEvent['data']): boolean => conditions.data(data);
  // Thousands of other conditions run first, so that neither side is measured with caches only this one has filled.
  const others = Array.from({ length: 10_000 }, (_, index) => benchRule(index, 'one type'));
  timeOurs(others, [benchEvent(1, 'one type')], 50);
  const data = Array.from({ length: 64 }, (_, index) => ({
    ...benchEvent(index, 'one type').data,
    badge: 'badge-3',
  }));
  for (const one of data) if (!mine(one) || !theirs(one)) throw new Error('the verdicts differ');
  const times = 5_000_000;
  const rate = (test: (one: EngineEvent['data']) => unknown): number => {
    const run = (): number => {
      let passed = 0;
      for (let turn = 0; turn < times; turn += 1) if (test(data[turn & 63] ?? {})) passed += 1;
      return passed;
    };
    return times / fastest(run) / 1_000;
  };
  const ours = rate(mine);
  const peer = rate(theirs);
  return {
    what: 'one 5-clause condition',
    ours,
    unit: 'M/s',
    better: 'more',
    peer,
    peerName: 'json-logic-engine compiled',
    target: { ratio: 1 },
  };
}

/** The best of five runs in milliseconds: the one least disturbed by what else the machine does. */
function fastest(run: () => unknown): number {
  let bestMs = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const from = performance.now();
    run();
    bestMs = Math.min(bestMs, performance.now() - from);
  }
  return bestMs;
}
