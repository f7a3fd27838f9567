/** What an alarm does to the desk. Pure: a state and what follows from it. */
import type { AlarmSeverity } from './channels.shared.ts';

export type AlarmState = { waiting: number; worst: AlarmSeverity | undefined };

export type AlarmEffects = {
  /** Comes to the front, over other windows. */
  raise: boolean;
  /** The taskbar entry flashes. */
  flash: boolean;
  /** How the desk sounds by itself, beside what the page plays. */
  sound: 'none' | 'once' | 'repeat';
  badge: number;
};

export const calm: AlarmState = { waiting: 0, worst: undefined };

const order: readonly AlarmSeverity[] = ['info', 'low', 'medium', 'high', 'critical'];
/** What the taskbar shows as a number; beyond it a number says nothing more. */
const badgeMax = 99;

export function raiseAlarm(state: AlarmState, severity: AlarmSeverity): AlarmState {
  const worst = state.worst !== undefined && rank(state.worst) > rank(severity) ? state.worst : severity;
  return { waiting: state.waiting + 1, worst };
}

/** What the desk does when an alarm of this severity comes to this state. */
export function effectsOf(state: AlarmState, severity: AlarmSeverity): AlarmEffects {
  const badge = Math.min(state.waiting, badgeMax);
  const isUrgent = rank(severity) >= rank('high');
  const isWorth = rank(severity) >= rank('medium');
  const repeats = state.worst !== undefined && rank(state.worst) >= rank('high');
  return { raise: isUrgent, flash: isWorth, sound: repeats ? 'repeat' : isWorth ? 'once' : 'none', badge };
}

const rank = (severity: AlarmSeverity): number => order.indexOf(severity);
