import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileByReader, compileData } from './data-condition.ts';
import type { DataCondition } from './types.ts';

const condition = (path: string, op: DataCondition['op'], value?: DataCondition['value']): DataCondition => ({
  kind: 'data',
  path,
  op,
  ...(value !== undefined && { value }),
});
const verdict = (path: string, op: DataCondition['op'], value: DataCondition['value'], data: object) =>
  compileData(condition(path, op, value))(data as Record<string, unknown>);

describe('data conditions', () => {
  test.each([
    ['eq', 5, 5, true],
    ['eq', '5', 5, false],
    ['eq', null, null, true],
    ['ne', 5, 6, true],
    ['ne', 5, 5, false],
    ['gt', 5, 4, true],
    ['gt', 4, 4, false],
    ['gte', 4, 4, true],
    ['lt', 3, 4, true],
    ['lte', 5, 4, false],
    ['gt', '5', 4, null],
    ['gt', 'b', 'a', true],
    ['lt', true, 4, null],
    ['in', 'b', ['a', 'b'], true],
    ['in', 'c', ['a', 'b'], false],
    ['in', 'a', 'a', true],
    ['contains', 'dock door', 'dock', true],
    ['contains', ['a', 'b'], 'b', true],
    ['contains', 5, 'b', null],
    ['exists', 5, undefined, true],
    ['absent', 5, undefined, false],
  ] as const)('%s of %j and %j says %j', (op, actual, wanted, expected) => {
    const value = wanted as DataCondition['value'];
    expect(verdict('x', op, value, { x: actual })).toBe(expected);
    expect(verdict('deep.er.x', op, value, { deep: { er: { x: actual } } })).toBe(expected);
  });

  test('a missing field is neither true nor false', () => {
    for (const op of ['eq', 'ne', 'gt', 'lte', 'in', 'contains'] as const) {
      expect(verdict('x', op, 1, {})).toBeNull();
      expect(verdict('x.y', op, 1, { x: 'text' })).toBeNull();
    }
    expect(verdict('x', 'absent', undefined, {})).toBe(true);
    expect(verdict('x.y', 'exists', undefined, { x: null })).toBe(false);
  });

  test('what JavaScript inherits is missing, whatever the path', () => {
    const paths = [
      '__proto__',
      'constructor',
      'constructor.name',
      'toString',
      '__proto__.polluted',
      'list.length',
    ];
    for (const path of paths.slice(0, -1)) {
      expect(verdict(path, 'exists', undefined, { list: [] })).toBe(false);
    }
    expect(verdict('list.map', 'exists', undefined, { list: [] })).toBe(false);
    expect(verdict('list.length', 'eq', 2, { list: [1, 2] })).toBe(true);
  });

  test('a field that is really called __proto__ is read as data', () => {
    const data = JSON.parse('{"__proto__": {"x": 1}, "constructor": "me"}') as object;
    expect(verdict('__proto__.x', 'eq', 1, data)).toBe(true);
    expect(verdict('constructor', 'eq', 'me', data)).toBe(true);
  });

  test('the fast form of a condition always agrees with the general one', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
    const op = fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'exists', 'absent');
    const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 12 }));
    const data = fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(fc.jsonValue(), scalar));
    fc.assert(
      fc.property(op, value, data, (anyOp, wanted, anyData) => {
        const one = condition('x', anyOp, wanted);
        expect(compileData(one)(anyData)).toBe(compileByReader(one)(anyData));
      }),
    );
  });
});
