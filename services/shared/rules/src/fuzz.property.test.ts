/** Anything the contract lets through must be judged without a throw, and without state, titles or traces that grow. */
import { Delivery, eventTypes, RuleInput } from '@siphera/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateTimer } from './absence.ts';
import { interleavedMax } from './count.ts';
import { evaluateEvent } from './evaluate-event.ts';
import { MemoryState } from './memory-state.ts';
import { changeRule } from './rule-change.ts';
import { compileRules } from './rule-index.ts';
import { buildContext, buildDevice, buildEvent, buildRule, monday } from './test-builders.ts';

const hostile = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype.x',
  'toString',
  'a.b.c.d.e.f',
  'hasOwnProperty',
  'x',
);
const anyScalar = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const anyCondition = fc.oneof(
  fc.record(
    {
      kind: fc.constant('data'),
      path: hostile,
      op: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'exists', 'absent'),
      value: fc.oneof(anyScalar, fc.array(anyScalar, { maxLength: 10 })),
    },
    { requiredKeys: ['kind', 'path', 'op'] },
  ),
  fc.record({ kind: fc.constant('armed'), states: fc.constant(['armed', 'partial']) }),
  fc.record({
    kind: fc.constant('schedule'),
    when: fc.constantFrom('inside', 'outside'),
    windows: fc.constant([{ days: [1, 7], from: '23:59', to: '00:00' }]),
  }),
);
const anyTypes = fc.uniqueArray(fc.constantFrom(...Object.keys(eventTypes), 'no.such.type', '__proto__'), {
  minLength: 1,
  maxLength: 5,
});
const anyRule = fc
  .record({
    name: fc.constant('Any'),
    trigger: fc.oneof(
      fc.record({ kind: fc.constant('event'), types: anyTypes, scope: fc.constant({}) }),
      fc.record({
        kind: fc.constant('absence'),
        types: anyTypes,
        for_ms: fc.integer({ min: 1_000, max: 9_999 }),
      }),
    ),
    conditions: fc.array(anyCondition, { maxLength: 8 }),
    count: fc.option(
      fc.record({
        times: fc.integer({ min: 2, max: 5 }),
        within_ms: fc.constant(60_000),
        per: fc.constantFrom('device', 'area', 'rule'),
      }),
    ),
    cooldown_ms: fc.constantFrom(0, 5_000),
    actions: fc.constant([
      {
        kind: 'incident',
        title: '{device} {area} {event} {data.__proto__} {data.x} {data.constructor.name}',
        severity: 'low',
      },
      { kind: 'command', target: 'trigger', name: 'unlock' },
    ]),
  })
  .map((input) => RuleInput.parse(input));
const anyTime = fc.oneof(
  fc.integer({ min: monday - 1e9, max: monday + 1e9 }),
  fc.constantFrom(0, -1, 1e15, 253_402_300_799_999),
);
const anyEvent = fc
  .record({
    type: fc.oneof(fc.constantFrom(...Object.keys(eventTypes)), fc.constant('__proto__')),
    delivery: fc.constantFrom(...Delivery.options),
    late_ms: fc.integer({ min: 0, max: 1e12 }),
    time_ms: anyTime,
    received_ms: anyTime,
    clock_suspect: fc.boolean(),
    device: fc.constantFrom(undefined, buildDevice(), buildDevice({ area: undefined })),
    site_id: fc.constantFrom('site', undefined),
    data: fc.dictionary(fc.oneof(hostile, fc.string()), fc.jsonValue()),
  })
  .map((event) =>
    buildEvent({
      ...event,
      class: Object.hasOwn(eventTypes, event.type) ? (eventTypes[event.type]?.class ?? 'system') : 'system',
    }),
  );

test('no rule and no event that fits the contract makes the engine throw or grow', () => {
  fc.assert(
    fc.property(
      fc.array(anyRule, { minLength: 1, maxLength: 6 }),
      fc.array(anyEvent, { maxLength: 30 }),
      fc.string(),
      (inputs, events, zone) => {
        const set = compileRules(inputs.map((input, index) => buildRule({ ...input, id: `rule-${index}` })));
        const state = new MemoryState();
        const context = buildContext({ timeZone: () => zone, device: () => undefined });
        for (const event of events) {
          const outcome = evaluateEvent(set, event, { ...context, now_ms: event.received_ms }, state);
          for (const { state: row } of outcome.writes)
            expect(row?.times?.length ?? 0).toBeLessThanOrEqual(5 + interleavedMax);
          for (const { actions } of outcome.decisions) {
            for (const one of actions)
              if (one.kind === 'incident') expect(one.title.length).toBeLessThanOrEqual(200);
          }
          state.apply(outcome);
          const timer = state.nextDue(event.received_ms);
          if (timer) state.apply(evaluateTimer(set, timer, context, state));
        }
        for (const id of set.rules.keys()) state.apply(changeRule(set, id, state.rowsOf(id), monday));
      },
    ),
    { numRuns: 500 },
  );
});
