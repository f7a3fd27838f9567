/** Severities in order. */
import type { Severity } from '@siphera/contract';

const rank: Readonly<Record<Severity, number>> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 };

export const atLeast = (severity: Severity, bound: Severity): boolean => rank[severity] >= rank[bound];
export const isAbove = (severity: Severity, bound: Severity): boolean => rank[severity] > rank[bound];
