import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

describe('canonical JSON', () => {
  it('is the same for the same value, whatever the order and the blanks were', () => {
    const text = '{ "b": [1.0, 2e3, true, null], "a": {"z": "ä\\u0041", "y": -0} }';
    expect(canonicalJson(JSON.parse(text))).toBe('{"a":{"y":0,"z":"äA"},"b":[1,2000,true,null]}');
  });

  it('sorts by code units, not by letters', () => {
    expect(canonicalJson({ é: 1, z: 2, Z: 3, '10': 4, '9': 5 })).toBe('{"10":4,"9":5,"Z":3,"z":2,"é":1}');
  });

  it('keeps a member that is called __proto__', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":1}'))).toBe('{"__proto__":1}');
  });
});
