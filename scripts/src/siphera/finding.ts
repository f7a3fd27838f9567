/** What a check of the doctor says. Whatever is not ok comes with why it matters and what to do. */
import type { BoxPlace } from './box.ts';

export type Finding =
  | { level: 'ok'; what: string; why?: never; todo?: never }
  | { level: 'warning' | 'broken'; what: string; why: string; todo: string };
export type Check = (input: { box: BoxPlace; nowMs: number }) => Promise<Finding[]> | Finding[];

export const ok = (what: string): Finding[] => [{ level: 'ok', what }];
export const warning = (what: string, why: string, todo: string): Finding[] => [
  { level: 'warning', what, why, todo },
];
export const broken = (what: string, why: string, todo: string): Finding[] => [
  { level: 'broken', what, why, todo },
];
