/** Which acts an incident's state allows. Pure. */
import type { IncidentState } from '@siphera/contract';

export type IncidentAct = 'acknowledge' | 'assign' | 'resolve' | 'close' | 'reopen';

const allowed: Readonly<Record<IncidentAct, readonly IncidentState[]>> = {
  acknowledge: ['new'],
  assign: ['new', 'acknowledged', 'assigned'],
  resolve: ['new', 'acknowledged', 'assigned'],
  close: ['resolved'],
  reopen: ['resolved', 'closed'],
};

export const after: Readonly<Record<IncidentAct, IncidentState>> = {
  acknowledge: 'acknowledged',
  assign: 'assigned',
  resolve: 'resolved',
  close: 'closed',
  reopen: 'acknowledged',
};

export const canAct = (state: IncidentState, act: IncidentAct): boolean => allowed[act].includes(state);
