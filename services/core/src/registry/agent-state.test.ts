import { toRfc3339 } from '@siphera/runtime';
import { describe, expect, it } from 'vitest';
import { Ingest } from '../events/ingest.ts';
import { openMemory, quietLog, seedBuilding, startMs } from '../testing/memory-box.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { applyAgentState } from './agent-state.ts';
import { RegistryIndex } from './store/registry-index.ts';

const minuteMs = 60_000;

function agentOf() {
  const { db, clock, writer } = openMemory();
  const { door } = seedBuilding(db);
  const index = new RegistryIndex(db);
  const deps = {
    db,
    clock,
    index,
    log: quietLog,
    rules: { onEvent: () => undefined },
  } as unknown as WriterDeps;
  const ingest = new Ingest(deps);
  const state = (skewMs: number, mayHaveWaited: boolean) =>
    writer.submit((tx) =>
      applyAgentState(
        tx,
        deps,
        ingest,
        door,
        { online: true, at: toRfc3339(startMs + skewMs) },
        { retained: false, mayHaveWaited },
      ),
    );
  const skew = (): unknown =>
    db
      .prepare<[string], { ms: number | null }>('SELECT clock_skew_ms AS ms FROM devices WHERE id = ?')
      .get(door)?.ms;
  return { state, skew };
}

describe('the clock of an agent', () => {
  it('is not taken for slow because its state waited while core was away', async () => {
    const { state, skew } = agentOf();
    await state(100, false);
    await state(-10 * minuteMs, true);
    expect(skew()).toBe(100);
  });

  it('is known to be slow when a fresh state says so, and stays known over a wait', async () => {
    const { state, skew } = agentOf();
    await state(-60 * minuteMs, false);
    await state(-70 * minuteMs, true);
    expect(skew()).toBe(-60 * minuteMs);
    await state(0, true);
    expect(skew()).toBe(0);
  });

  it('is believed the first time, for want of anything better', async () => {
    const { state, skew } = agentOf();
    await state(-60 * minuteMs, true);
    expect(skew()).toBe(-60 * minuteMs);
  });
});
