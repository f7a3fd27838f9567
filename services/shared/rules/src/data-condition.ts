/**
 * Conditions on event data. The answer has three values: true, false, and null when the data cannot tell (the field is
 * missing, or of another kind than the rule compares with). Nothing is coerced: `"5"` is not 5.
 */
import {
  compilePath,
  directName,
  type DataTest,
  type EventData,
  type PathReader,
  type Verdict,
} from './data-path.ts';
import { compileDirect } from './direct-condition.ts';
import type { DataCondition } from './types.ts';
import { valueWords } from './words.ts';

/** Compiles a condition to a closure; no text is ever evaluated as code. */
export function compileData(condition: DataCondition): DataTest {
  const name = directName(condition.path);
  const direct = name === undefined ? undefined : compileDirect(name, condition.op, condition.value ?? null);
  return direct ?? compileByReader(condition);
}

/** The general form: any path, any operator. `compileDirect` must agree with it wherever it answers. */
export function compileByReader(condition: DataCondition): DataTest {
  const read = compilePath(condition.path);
  const wanted = condition.value ?? null;
  switch (condition.op) {
    case 'exists':
      return (data) => read(data) !== undefined;
    case 'absent':
      return (data) => read(data) === undefined;
    case 'eq':
      return known(read, (value) => value === wanted);
    case 'ne':
      return known(read, (value) => value !== wanted);
    case 'in': {
      const choices: readonly unknown[] = Array.isArray(wanted) ? wanted : [wanted];
      return known(read, (value) => choices.includes(value));
    }
    case 'contains':
      return (data) => contains(read(data), wanted);
    default:
      return compileOrder(read, condition.op, wanted);
  }
}

/** Words for a trace: what was asked, and what the event said. */
export function compileWords(condition: DataCondition): {
  what: string;
  detail: (data: EventData) => string;
} {
  const read = compilePath(condition.path);
  const name = `data.${condition.path}`;
  const asksPresence = condition.op === 'exists' || condition.op === 'absent';
  const what = asksPresence
    ? `${name} is ${condition.op === 'exists' ? 'there' : 'missing'}`
    : `${name} ${operatorWords[condition.op as keyof typeof operatorWords]} ${wantedWords(condition.value)}`;
  const detail = (data: EventData): string => {
    const value = read(data);
    return value === undefined ? `${name} is not in the event` : `${name} is ${valueWords(value)}`;
  };
  return { what, detail };
}

type Order = 'gt' | 'gte' | 'lt' | 'lte';

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

function known(read: PathReader, test: (value: unknown) => boolean): DataTest {
  return (data) => {
    const value = read(data);
    return value === undefined ? null : test(value);
  };
}

function contains(value: unknown, wanted: unknown): Verdict {
  if (Array.isArray(value)) return value.includes(wanted);
  if (typeof value === 'string' && typeof wanted === 'string') return value.includes(wanted);
  return null;
}

/** Numbers with numbers, text with text (by code unit, which orders RFC 3339 times of one offset); else not known. */
function compileOrder(read: PathReader, op: Order, wanted: unknown): DataTest {
  return (data) => {
    const value = read(data);
    if (typeof value === 'number' && typeof wanted === 'number') return inOrder(value, op, wanted);
    if (typeof value === 'string' && typeof wanted === 'string') return inOrder(value, op, wanted);
    return null;
  };
}

function inOrder<T extends number | string>(value: T, op: Order, wanted: T): boolean {
  if (op === 'gt') return value > wanted;
  if (op === 'gte') return value >= wanted;
  if (op === 'lt') return value < wanted;
  return value <= wanted;
}
