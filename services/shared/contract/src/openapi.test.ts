import { describe, expect, it } from 'vitest';
import { buildOpenApi } from './openapi.ts';
import { routes } from './rest/index.ts';

type Node = Record<string, unknown>;
const document = buildOpenApi('1.2.3') as {
  paths: Record<string, Record<string, Node>>;
  components: { schemas: Record<string, Node>; responses: Node };
};

const sorted = (names: readonly unknown[]): string[] => names.map(String).sort();

describe('the OpenAPI document', () => {
  it('describes every route and nothing else', () => {
    const described = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map((op) => op['operationId']),
    );
    expect(sorted(described)).toEqual(sorted(Object.keys(routes)));
  });

  it('refers only to components that it holds, and holds only those it refers to', () => {
    const text = JSON.stringify(document);
    const used = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1]));
    expect(sorted([...used])).toEqual(sorted(Object.keys(document.components.schemas)));
  });

  it('lets a field with a default be left out on the way in, and promises it on the way out', () => {
    const { schemas } = document.components;
    expect(schemas['ProcedureStepInput']?.['required']).toEqual(['text']);
    expect(schemas['ProcedureStep']?.['required']).toEqual(['text', 'required']);
  });

  it('names the permission, the idempotency key and the problem answer of an incident action', () => {
    const act = document.paths['/incidents/{id}/resolve']?.['post'];
    expect(act?.['x-siphera-access']).toBe('incident.act');
    expect(act?.['parameters']).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header' }),
    );
    expect((act?.['responses'] as Node)['default']).toEqual({ $ref: '#/components/responses/Problem' });
  });

  it('asks for no token where a route is public, and for the cookie to refresh', () => {
    expect(document.paths['/setup']?.['post']?.['security']).toEqual([]);
    expect(document.paths['/auth/refresh']?.['post']?.['security']).toEqual([{ refreshCookie: [] }]);
  });
});
