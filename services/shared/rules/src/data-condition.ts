/**
 * Conditions on event data. The answer has three values: true, false, and null when the data cannot tell (the field is
 * missing, or of another kind than the rule compares with). Nothing is coerced: `"5"` is not 5.
 */
import type { DataCondition as DataConditionSchema } from '@siphera/contract';
import type { z } from 'zod';
import { compilePath, type PathReader } from './data-path.ts';
import { valueWords } from './words.ts';

export type DataCondition = z.infer<typeof DataConditionSchema>;
export type Verdict = boolean | null;
export type DataTest = (data: unknown) => Verdict;

/** Compiles a condition to a closure; no text is ever evaluated as code. */
export function compileData(condition: DataCondition): DataTest {
  const read = compilePath(condition.path);
  const wanted = condition.value ?? null;
  switch (condition.op) {
    case 'exists':
      return (data) => read(data) !== undefined;
    case 'absent':
      return (data) => read(data) === undefined;
    case 'eq':
      return compileEqual(read, wanted);
    case 'ne':
      return (data) => {
        const value = read(data);
        return value === undefined ? null : value !== wanted;
      };
    case 'in': {
      const choices = new Set<unknown>(Array.isArray(wanted) ? wanted : [wanted]);
      return (data) => {
        const value = read(data);
        return value === undefined ? null : choices.has(value);
      };
    }
    case 'contains':
      return (data) => contains(read(data), wanted);
    default:
      return compileOrder(read, condition.op, wanted);
  }
}

/** Words for a trace: what was asked, and what the event said. */
export function explainData(condition: DataCondition, data: unknown): { what: string; detail: string } {
  const value = compilePath(condition.path)(data);
  const name = `data.${condition.path}`;
  if (condition.op === 'exists' || condition.op === 'absent') {
    const what = `${name} is ${condition.op === 'exists' ? 'there' : 'missing'}`;
    return { what, detail: value === undefined ? `${name} is missing` : `${name} is ${valueWords(value)}` };
  }
  const what = `${name} ${operatorWords[condition.op]} ${wantedWords(condition.value)}`;
  if (value === undefined) return { what, detail: `${name} is not in the event` };
  return { what, detail: `${name} is ${valueWords(value)}` };
}

const operatorWords = {
  eq: 'is',
  ne: 'is not',
  gt: 'is above',
  gte: 'is at least',
  lt: 'is below',
  lte: 'is at most',
  in: 'is one of',
  contains: 'contains',
} as const;

/** Choices of `in` that a trace spells out. */
const choicesShown = 5;

function wantedWords(value: DataCondition['value']): string {
  if (!Array.isArray(value)) return valueWords(value ?? null);
  const shown = value.slice(0, choicesShown).map(valueWords).join(', ');
  return value.length > choicesShown ? `${shown} and ${value.length - choicesShown} more` : shown;
}

function compileEqual(read: PathReader, wanted: unknown): DataTest {
  return (data) => {
    const value = read(data);
    return value === wanted ? true : value === undefined ? null : false;
  };
}

function contains(value: unknown, wanted: unknown): Verdict {
  if (Array.isArray(value)) return value.includes(wanted);
  if (typeof value === 'string' && typeof wanted === 'string') return value.includes(wanted);
  return null;
}

function compileOrder(read: PathReader, op: 'gt' | 'gte' | 'lt' | 'lte', wanted: unknown): DataTest {
  if (typeof wanted === 'number') return compileNumberOrder(read, op, wanted);
  if (typeof wanted === 'string') {
    return (data) => {
      const value = read(data);
      return typeof value === 'string' ? compareText(value, op, wanted) : null;
    };
  }
  return () => null;
}

function compileNumberOrder(read: PathReader, op: 'gt' | 'gte' | 'lt' | 'lte', wanted: number): DataTest {
  const ordered = (test: (value: number) => boolean): DataTest => {
    return (data) => {
      const value = read(data);
      return typeof value === 'number' ? test(value) : null;
    };
  };
  if (op === 'gt') return ordered((value) => value > wanted);
  if (op === 'gte') return ordered((value) => value >= wanted);
  if (op === 'lt') return ordered((value) => value < wanted);
  return ordered((value) => value <= wanted);
}

function compareText(value: string, op: 'gt' | 'gte' | 'lt' | 'lte', wanted: string): boolean {
  if (op === 'gt') return value > wanted;
  if (op === 'gte') return value >= wanted;
  if (op === 'lt') return value < wanted;
  return value <= wanted;
}
