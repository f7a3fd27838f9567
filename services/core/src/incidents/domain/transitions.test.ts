import { IncidentState } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { after, canAct, type IncidentAct } from './transitions.ts';

const acts = Object.keys(after) as IncidentAct[];

describe('the life of an incident', () => {
  it('allows exactly these acts', () => {
    const allowed = Object.fromEntries(
      IncidentState.options.map((state) => [state, acts.filter((act) => canAct(state, act))]),
    );
    expect(allowed).toEqual({
      new: ['acknowledge', 'assign', 'resolve'],
      acknowledged: ['assign', 'resolve'],
      assigned: ['assign', 'resolve'],
      resolved: ['close', 'reopen'],
      closed: ['reopen'],
    });
  });

  it('never goes back to new, so that what was seen does not ring again', () => {
    expect(Object.values(after)).not.toContain('new');
  });
});
