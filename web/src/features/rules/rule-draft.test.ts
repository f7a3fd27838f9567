import { describe, expect, it } from 'vitest';
import {
  emptyDraft,
  newAction,
  newCondition,
  toBody,
  toDraft,
  type DraftAction,
  type RuleBody,
  type Trigger,
} from './rule-draft.ts';

type Saved = RuleBody & { trigger: Trigger };
const id = (n: number): string => `01a201eb-0000-7000-8000-00000000000${String(n)}`;
const full: Saved = {
  name: 'Back door at night',
  description: 'Two lines\nof text',
  enabled: false,
  trigger: {
    kind: 'absence',
    types: ['device.heartbeat'],
    scope: { device_ids: [id(1)], area_ids: [id(2)], device_kinds: ['door'], tags: ['perimeter', 'lab'] },
    for_ms: 120_000,
  },
  conditions: [
    { kind: 'data', path: 'reason', op: 'in', value: ['expired', 5, true, '5', 'a, b'] },
    { kind: 'data', path: 'sensor.value', op: 'gte', value: 21.5 },
    { kind: 'data', path: 'note', op: 'exists' },
    { kind: 'schedule', when: 'outside', windows: [{ days: [1, 2], from: '22:00', to: '06:00' }] },
    { kind: 'armed', states: ['armed', 'partial'] },
  ],
  count: { times: 3, within_ms: 300_000, per: 'area' },
  cooldown_ms: 60_000,
  actions: [
    {
      kind: 'incident',
      title: '{device}',
      severity: 'high',
      group_by: 'area',
      procedure_id: id(3),
      escalation_id: null,
    },
    { kind: 'notify', channels: ['email'], user_ids: [id(4)], group_ids: [], webhook_ids: [] },
    { kind: 'command', target: 'trigger', name: 'unlock', args: { seconds: 5 } },
    {
      kind: 'call',
      user_ids: [id(5)],
      group_ids: [id(6)],
      numbers: ['201', '+15550100', '*97'],
      say: '{event} at {device}',
      rounds: 3,
      ring_s: 20,
    },
  ],
};

describe('a rule in the form', () => {
  it('comes out as it went in when nothing was changed', () => {
    expect(toBody(toDraft(full))).toEqual(full);
  });

  it('does not let a change of the form reach the rule it was read from', () => {
    const before = structuredClone(full);
    const draft = toDraft(full);
    draft.trigger.types.push('door.forced');
    const schedule = draft.conditions[3];
    if (schedule?.kind === 'schedule') schedule.windows[0]!.days.push(7);
    expect(full).toEqual(before);
  });

  it('leaves empty scopes out, so that the rule says plainly that it looks everywhere', () => {
    const body = toBody({
      ...emptyDraft(),
      name: ' Panic ',
      trigger: { ...emptyDraft().trigger, types: ['panic.pressed'] },
    });
    expect(body.name).toBe('Panic');
    expect(body.trigger).toEqual({ kind: 'event', types: ['panic.pressed'], scope: {} });
  });

  it('sends no procedure and no plan as null, not as an empty text', () => {
    expect(toBody(emptyDraft()).actions[0]).toMatchObject({ procedure_id: null, escalation_id: null });
  });

  it('keeps no value for an operator that asks only whether the field is there', () => {
    const draft = {
      ...emptyDraft(),
      conditions: [{ kind: 'data' as const, path: 'a', op: 'absent' as const, value: 'left over' }],
    };
    expect(toBody(draft).conditions).toEqual([{ kind: 'data', path: 'a', op: 'absent' }]);
  });

  it('takes numbers as people write them, parted by commas', () => {
    const call = { ...newAction('call'), numbers: ' +43 (1) 234-56, 201;\n*97, ' } as DraftAction;
    expect(toBody({ ...emptyDraft(), actions: [call] }).actions[0]).toMatchObject({
      numbers: ['+43123456', '201', '*97'],
    });
  });

  it('offers new parts that the box takes as they are', () => {
    expect(newCondition('schedule')).toMatchObject({ windows: [{ from: '18:00', to: '06:00' }] });
    expect(newAction('notify')).toMatchObject({ channels: ['console'] });
    expect(newAction('command')).toMatchObject({ target: 'trigger' });
  });
});
