/** Carries what happens in one part to the others, at once and in order. */
import type { Logger } from '@siphera/runtime';
import type { TalkSignal, TalkSignals } from '../ground.ts';

/** @param log hears of a listener that threw: the others are told all the same. */
export function createTalkSignals(log: Logger): TalkSignals {
  const listeners = new Set<(signal: TalkSignal) => void>();
  return {
    on(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
    emit(signal) {
      for (const hear of listeners) {
        try {
          hear(signal);
        } catch (error) {
          log.error('signal_failed', { error, signal: signal.kind });
        }
      }
    },
  };
}
