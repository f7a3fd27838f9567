/**
 * The REST API as OpenAPI 3.1, built from the routes alone, so that it can name nothing that does not exist. Pure: core
 * serves it, `npm run generate` writes it to docs/reference.
 */
import type { z } from 'zod';
import { errorCodes } from './errors.ts';
import { routes } from './rest/index.ts';
import { apiPrefix, type Route } from './rest/route.ts';
import { componentRoot, type Components, convertSchemas, type Json } from './schema-components.ts';

/** @param version of the box, shown as the API's. */
export function buildOpenApi(version: string): Json {
  const table: Record<string, Route> = routes;
  const schemas = convertSchemas(table);
  const paths: Record<string, Json> = {};
  for (const [operationId, route] of Object.entries(table)) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method]: describeOperation(operationId, route, schemas),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Siphera',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'The REST API of a Siphera site box. Times are RFC 3339, ids UUIDv7, errors problem+json (RFC 9457). ' +
        'A list carries `feed_seq`: read it, then follow `/stream` or the socket from there.',
    },
    servers: [{ url: apiPrefix, description: 'This box' }],
    tags: [...new Set(Object.values(table).map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components,
      responses: { Problem: problemResponse() },
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'An access token (five minutes) or an API key',
        },
        refreshCookie: { type: 'apiKey', in: 'cookie', name: 'siphera_refresh' },
      },
    },
  };
}

function describeOperation(operationId: string, route: Route, schemas: Components): Json {
  const signedIn = route.access !== 'public';
  const content = requestContent(route, schemas);
  return {
    operationId,
    summary: route.summary,
    tags: [route.tag],
    'x-siphera-access': route.access,
    security: operationId === 'refresh' ? [{ refreshCookie: [] }] : signedIn ? [{ bearer: [] }] : [],
    parameters: [
      ...parameters('path', route.params, schemas),
      ...parameters('query', route.query, schemas),
      ...headers(operationId, route),
    ],
    ...(content ? { requestBody: { required: true, content } } : {}),
    responses: {
      [String(route.status ?? (route.response || route.download ? 200 : 204))]: success(route, schemas),
      default: { $ref: '#/components/responses/Problem' },
    },
  };
}

function parameters(where: 'path' | 'query', schema: z.ZodType | undefined, schemas: Components): Json[] {
  if (!schema) return [];
  const object = schemas.spelledOut(schema) as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(object.properties ?? {}).map(([field, value]) => ({
    name: field,
    in: where,
    required: where === 'path' || (object.required ?? []).includes(field),
    schema: value,
  }));
}

function headers(operationId: string, route: Route): Json[] {
  const list: Json[] = [];
  if (route.idempotent) {
    list.push({
      name: 'Idempotency-Key',
      in: 'header',
      description: 'The first answer to a key is kept for a day and given again',
      schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
    });
  }
  if (route.upload) {
    list.push({
      name: 'X-File-Name',
      in: 'header',
      description: 'Percent-encoded',
      schema: { type: 'string' },
    });
  }
  if (operationId === 'refresh' || operationId === 'logout') {
    list.push({ name: 'X-Siphera-Console', in: 'header', required: true, schema: { const: '1' } });
  }
  return list;
}

function requestContent(route: Route, schemas: Components): Json | undefined {
  if (route.upload) {
    const note = `At most ${route.upload.bytesMax} bytes`;
    return Object.fromEntries(
      route.upload.mediaTypes.map((type) => [
        type,
        { schema: { contentMediaType: type, description: note } },
      ]),
    );
  }
  return route.body ? { 'application/json': { schema: schemas.reference('input', route.body) } } : undefined;
}

function success(route: Route, schemas: Components): Json {
  const description = route.summary;
  if (route.download) return { description, content: { [route.download]: {} } };
  if (!route.response) return { description };
  return {
    description,
    content: { 'application/json': { schema: schemas.reference('output', route.response) } },
  };
}

const problemResponse = (): Json => ({
  description: `Refused. \`code\` is one of: ${Object.keys(errorCodes).join(', ')}`,
  content: { 'application/problem+json': { schema: { $ref: `${componentRoot}Problem` } } },
});
