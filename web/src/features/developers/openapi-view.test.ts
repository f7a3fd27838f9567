import { describe, expect, it } from 'vitest';
import { readOperations, schemaLines, typeWord } from './openapi-view.ts';

const document = {
  paths: {
    '/things/{id}': {
      get: {
        operationId: 'getThing',
        summary: 'One thing',
        tags: ['things'],
        'x-siphera-access': 'registry.read',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
        responses: {
          200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          default: {},
        },
      },
      delete: { parameters: [{ name: 'Idempotency-Key', in: 'header' }], responses: { 204: {} } },
    },
  },
  components: {
    schemas: {
      Thing: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string', description: 'What people say' },
          kind: { enum: ['door', 'reader'] },
          parts: { type: 'array', items: { $ref: '#/components/schemas/Thing' } },
          note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        },
      },
    },
  },
};

describe('the API reference', () => {
  it('reads operations with what they need and answer', () => {
    const [get, remove] = readOperations(document);
    expect(get).toMatchObject({
      id: 'getThing',
      tag: 'things',
      access: 'registry.read',
      status: '200',
      idempotent: false,
    });
    expect(get?.parameters).toHaveLength(1);
    expect(remove).toMatchObject({
      method: 'delete',
      status: '204',
      answer: undefined,
      idempotent: true,
      tag: 'other',
    });
    expect(remove?.parameters).toEqual([]);
  });

  it('lists fields and ends where a schema holds itself', () => {
    const lines = schemaLines(document, { $ref: '#/components/schemas/Thing' });
    expect(lines.map((line) => `${line.name}: ${line.type}`)).toEqual([
      'name: string',
      'kind: "door" | "reader"',
      'parts: Thing[]',
      'note: string | null',
    ]);
    expect(lines[0]).toMatchObject({ required: true, note: 'What people say' });
  });

  it('shows nothing of a document it cannot read, and does not fail', () => {
    expect(readOperations(undefined)).toEqual([]);
    expect(typeWord({}, { $ref: '#/components/schemas/Gone' })).toBe('Gone');
  });
});
