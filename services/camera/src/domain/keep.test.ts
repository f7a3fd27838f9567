import { RecordingPolicy } from '@siphera/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge, keptUntilMs, oldestFreeing, type Happenings } from './keep.ts';

const none: Happenings = { motion: [], events: [], keeps: [] };
const policy = (more: Partial<RecordingPolicy>): RecordingPolicy =>
  RecordingPolicy.parse({ pre_roll_ms: 10_000, post_roll_ms: 20_000, ...more });
const always = (): boolean => true;
const never = (): boolean => false;
const segment = { fromMs: 100_000, toMs: 130_000 };
const moment = (atMs: number) => ({ fromMs: atMs, toMs: atMs });

const span = fc
  .tuple(fc.integer({ min: 0, max: 400_000 }), fc.integer({ min: 0, max: 60_000 }))
  .map(([fromMs, length]) => ({ fromMs, toMs: fromMs + length }));
const mode = fc.constantFrom('off', 'continuous', 'motion', 'events', 'schedule');
const happenings = fc.record({
  motion: fc.array(span, { maxLength: 4 }),
  events: fc.array(span, { maxLength: 4 }),
  keeps: fc.array(span, { maxLength: 2 }),
});

describe('what a mode keeps', () => {
  it('keeps motion with its rolls, and nothing a millisecond beyond them', () => {
    const motion = policy({ mode: 'motion' });
    const at = (fromMs: number, toMs: number) =>
      judge(segment, motion, { ...none, motion: [{ fromMs, toMs }] }, always);
    expect(at(139_999, 145_000)).toBe('kept_event');
    expect(at(140_000, 145_000)).toBe('delete');
    expect(at(60_000, 80_000)).toBe('kept_event');
    expect(at(60_000, 79_999)).toBe('delete');
  });

  it('takes events for a camera that records events, but not for one that records motion', () => {
    const found = { ...none, events: [moment(110_000)] };
    expect(judge(segment, policy({ mode: 'events' }), found, always)).toBe('kept_event');
    expect(judge(segment, policy({ mode: 'motion' }), found, always)).toBe('delete');
    expect(judge(segment, policy({ mode: 'events' }), { ...none, motion: [moment(110_000)] }, always)).toBe(
      'kept_event',
    );
  });

  it('keeps what a window touches, widened by the rolls', () => {
    const scheduled = policy({ mode: 'schedule' });
    expect(judge(segment, scheduled, none, never)).toBe('delete');
    expect(judge(segment, scheduled, none, (atMs) => atMs >= 120_000)).toBe('kept');
    expect(judge(segment, scheduled, none, (atMs) => atMs >= 140_000)).toBe('kept');
    expect(judge(segment, scheduled, none, (atMs) => atMs < 80_001)).toBe('kept');
    expect(judge(segment, scheduled, { ...none, motion: [moment(110_000)] }, never)).toBe('delete');
  });

  it('keeps what somebody asked for whatever the mode', () => {
    fc.assert(
      fc.property(mode, happenings, fc.integer({ min: 100_000, max: 129_999 }), (one, found, atMs) => {
        const asked = { ...found, keeps: [...found.keeps, moment(atMs)] };
        expect(judge(segment, policy({ mode: one }), asked, never)).toBe('kept_event');
      }),
    );
  });

  it('never keeps less because more happened, or because the rolls are longer', () => {
    const rank = { delete: 0, kept: 1, kept_event: 2 };
    fc.assert(
      fc.property(mode, happenings, happenings, fc.nat(60_000), (one, few, more, longer) => {
        const all = {
          motion: [...few.motion, ...more.motion],
          events: [...few.events, ...more.events],
          keeps: [...few.keeps, ...more.keeps],
        };
        const inWindow = (atMs: number): boolean => Math.floor(atMs / 60_000) % 2 === 0;
        const before = judge(segment, policy({ mode: one }), few, inWindow);
        const wide = policy({ mode: one, pre_roll_ms: 10_000 + longer, post_roll_ms: 20_000 + longer });
        expect(rank[judge(segment, policy({ mode: one }), all, inWindow)]).toBeGreaterThanOrEqual(
          rank[before],
        );
        expect(rank[judge(segment, wide, few, inWindow)]).toBeGreaterThanOrEqual(rank[before]);
      }),
    );
  });

  it('keeps everything of a camera that records all the time', () => {
    fc.assert(
      fc.property(happenings, (found) => {
        expect(judge(segment, policy({ mode: 'continuous' }), found, never)).not.toBe('delete');
      }),
    );
  });
});

describe('retention', () => {
  it('keeps footage of events longer, if that is longer', () => {
    const days = (ms: number | undefined): number => (ms ?? Number.NaN) / 86_400_000;
    const of = (judged: 1 | 2, more: Partial<RecordingPolicy>) =>
      keptUntilMs({ toMs: 0, judged }, policy({ keep_days: 30, ...more }));
    expect(days(of(1, { keep_event_days: 90 }))).toBe(30);
    expect(days(of(2, { keep_event_days: 90 }))).toBe(90);
    expect(days(of(2, { keep_event_days: 7 }))).toBe(30);
    expect(days(of(2, { keep_event_days: null }))).toBe(30);
    expect(of(1, { keep_days: null })).toBeUndefined();
  });

  it('takes the oldest, and no more of them than it must', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1_000), { maxLength: 50 }),
        fc.integer({ min: -500, max: 20_000 }),
        (sizes, bytes) => {
          const rows = sizes.map((size, id) => ({ id, bytes: size }));
          const chosen = oldestFreeing(rows, bytes);
          const freed = chosen.reduce((sum, row) => sum + row.bytes, 0);
          expect(chosen).toEqual(rows.slice(0, chosen.length));
          if (chosen.length < rows.length) expect(freed).toBeGreaterThanOrEqual(bytes);
          const last = chosen.at(-1);
          if (last) expect(freed - last.bytes).toBeLessThan(bytes);
          if (bytes <= 0) expect(chosen).toEqual([]);
        },
      ),
    );
  });
});
