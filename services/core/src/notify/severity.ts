/** Severities in order. */
import type { Severity } from '@siphera/contract';

export const severityRank: Readonly<Record<Severity, number>> = {
  info: 0,
  low: 1,
  medium: 2,
  high: 3,
  critical: 4,
};
