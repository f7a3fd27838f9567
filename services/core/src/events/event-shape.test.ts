import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapeEvent } from './event-shape.ts';

const good = { specversion: '1.0', id: '1', source: 's', type: 'door.forced', data: { note: 'x' } };

describe('the shape of an event', () => {
  it('takes a good one, extension attributes included', () => {
    expect(shapeEvent({ ...good, areaid: 'a', anything: 1 })).toMatchObject({
      areaId: 'a',
      data: { note: 'x' },
    });
  });

  it.each([
    ['an unknown type', { ...good, type: 'door.exploded' }, 'unknown_type'],
    ['a type that is a property of every object', { ...good, type: 'constructor' }, 'unknown_type'],
    ['data of the wrong kind', { ...good, data: { note: 7 } }, 'schema'],
    [
      'a version we do not know',
      { ...good, dataschema: 'https://example.org/door.forced/v2' },
      'unsupported_version',
    ],
    ['no id', { ...good, id: undefined }, 'schema'],
    ['a time that is none', { ...good, time: 'yesterday' }, 'schema'],
    ['no object', 'x', 'schema'],
  ])('refuses %s with the reason', (_name, value, code) => {
    expect(shapeEvent(value)).toMatchObject({ code, reason: expect.stringMatching(/./) as string });
  });

  it('throws for nothing', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void shapeEvent(value)));
    fc.assert(fc.property(fc.object(), (data) => void shapeEvent({ ...good, data })));
  });
});
