/** The box's OpenAPI document as a page reads it: operations by group, schemas as lines. Tolerant: what is missing is left out. */
type Json = Record<string, unknown>;
export type Schema = Json & { $ref?: string };
export type Parameter = { name: string; in: string; required: boolean; description: string; schema: Schema };
export type Operation = {
  id: string;
  method: string;
  path: string;
  summary: string;
  tag: string;
  access: string;
  parameters: Parameter[];
  body: Schema | undefined;
  bodyType: string | undefined;
  answer: Schema | undefined;
  status: string;
  idempotent: boolean;
};
export type SchemaLine = { depth: number; name: string; type: string; required: boolean; note: string };

const methods = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Deeper than this a reader is helped more by the named schema than by more lines. */
const depthMax = 3;
const linesMax = 120;

const asObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
const asText = (value: unknown): string => (typeof value === 'string' ? value : '');

export function readOperations(document: unknown): Operation[] {
  const paths = asObject(asObject(document)['paths']);
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = asObject(item)[method];
      return operation === undefined ? [] : [readOperation(path, method, asObject(operation))];
    }),
  );
}

function readOperation(path: string, method: string, operation: Json): Operation {
  const parameters = (Array.isArray(operation['parameters']) ? operation['parameters'] : []).map(asObject);
  const body = content(operation['requestBody']);
  const [status, response] = Object.entries(asObject(operation['responses'])).find(([code]) =>
    code.startsWith('2'),
  ) ?? ['', {}];
  return {
    id: asText(operation['operationId']) || `${method} ${path}`,
    method,
    path,
    summary: asText(operation['summary']),
    tag: asText((Array.isArray(operation['tags']) ? operation['tags'] : [])[0]) || 'other',
    access: asText(operation['x-siphera-access']),
    parameters: parameters.filter((one) => one['in'] !== 'header').map(readParameter),
    body: body?.schema,
    bodyType: body?.type,
    answer: content(response)?.schema,
    status,
    idempotent: parameters.some((one) => one['name'] === 'Idempotency-Key'),
  };
}

const readParameter = (one: Json): Parameter => ({
  name: asText(one['name']),
  in: asText(one['in']),
  required: one['required'] === true,
  description: asText(one['description']),
  schema: asObject(one['schema']),
});

function content(of: unknown): { type: string; schema: Schema } | undefined {
  const first = Object.entries(asObject(asObject(of)['content']))[0];
  return first ? { type: first[0], schema: asObject(asObject(first[1])['schema']) } : undefined;
}

const refName = (schema: Schema): string | undefined => schema.$ref?.split('/').at(-1);

function resolve(document: unknown, schema: Schema): Schema {
  const name = refName(schema);
  if (name === undefined) return schema;
  return asObject(asObject(asObject(asObject(document)['components'])['schemas'])[name]);
}

/** The type of a schema in one word or short line. */
export function typeWord(document: unknown, schema: Schema): string {
  const whole = resolve(document, schema);
  const options = whole['anyOf'] ?? whole['oneOf'];
  if (Array.isArray(options))
    return [...new Set(options.map((one) => typeWord(document, asObject(one))))].join(' | ');
  if (whole['const'] !== undefined) return JSON.stringify(whole['const']);
  if (Array.isArray(whole['enum'])) return whole['enum'].map((one) => JSON.stringify(one)).join(' | ');
  if (whole['type'] === 'array') return `${typeWord(document, asObject(whole['items']))}[]`;
  if (whole['type'] === 'object') return refName(schema) ?? 'object';
  const name = refName(schema);
  return [name ?? asText(whole['format']), asText(whole['type'])].find((word) => word !== '') ?? 'any';
}

/** Fields of a schema, line by line, into arrays and objects. */
export function schemaLines(
  document: unknown,
  schema: Schema,
  depth = 0,
  seen: readonly string[] = [],
): SchemaLine[] {
  const name = refName(schema);
  if (depth > depthMax || (name !== undefined && seen.includes(name))) return [];
  const whole = resolve(document, schema);
  const path = name === undefined ? seen : [...seen, name];
  if (whole['type'] === 'array') return schemaLines(document, asObject(whole['items']), depth, path);
  const required = Array.isArray(whole['required']) ? whole['required'] : [];
  return Object.entries(asObject(whole['properties']))
    .flatMap(([field, value]) => {
      const inner = asObject(value);
      const note = asText(inner['description']) || asText(resolve(document, inner)['description']);
      const line = {
        depth,
        name: field,
        type: typeWord(document, inner),
        required: required.includes(field),
        note,
      };
      return [line, ...schemaLines(document, inner, depth + 1, path)];
    })
    .slice(0, linesMax);
}
