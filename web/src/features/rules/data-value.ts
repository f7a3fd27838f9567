/** A value of a data condition as text in a field: 5, true, open, "5" (the text), and a, b, c for lists. */
import type { DataCondition } from '#features/rules/rule-draft.ts';

type Scalar = string | number | boolean | null;
type Value = DataCondition['value'];
const words = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const isNumber = (text: string): boolean =>
  /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) && Number.isFinite(Number(text));

export function parseScalar(text: string): Scalar {
  const trimmed = text.trim();
  if (words.has(trimmed)) return words.get(trimmed) ?? null;
  if (isNumber(trimmed)) return Number(trimmed);
  const quoted = /^"(.*)"$/s.exec(trimmed);
  return quoted?.[1] === undefined ? trimmed : quoted[1].replaceAll('\\"', '"');
}

/** `in` takes a list; every other operator takes the text as one value. */
export const parseValue = (text: string, op: DataCondition['op']): Exclude<Value, undefined> =>
  op === 'in' ? splitList(text).map(parseScalar) : parseScalar(text);

export function formatValue(value: Value): string {
  if (value === undefined) return '';
  return Array.isArray(value) ? value.map(formatScalar).join(', ') : formatScalar(value);
}

function formatScalar(value: Scalar): string {
  if (typeof value !== 'string') return String(value);
  const plain =
    !words.has(value) && !isNumber(value) && value === value.trim() && !/["\n,]/.test(value) && value !== '';
  return plain ? value : `"${value.replaceAll('"', '\\"')}"`;
}

/** Splits at commas that stand outside quotes. */
function splitList(text: string): string[] {
  const parts = text.match(/\s*"(?:[^"\\]|\\.)*"\s*|[^,]+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}
