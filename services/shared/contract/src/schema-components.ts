/**
 * The contract's schemas as JSON Schema components. Every exported schema is a component under its own name; one whose
 * two directions differ (a default makes a field optional on the way in alone) is kept twice, the incoming as `<Name>Input`.
 */
import { z } from 'zod';
import { Problem } from './errors.ts';
import * as eventTypes from './event-types.ts';
import * as events from './events.ts';
import * as feed from './feed.ts';
import * as mqtt from './mqtt.ts';
import * as permissions from './permissions.ts';
import * as primitives from './primitives.ts';
import * as camera from './rest/camera.ts';
import * as commands from './rest/commands.ts';
import * as restEvents from './rest/events.ts';
import * as emergency from './rest/emergency.ts';
import * as footage from './rest/footage.ts';
import * as identity from './rest/identity.ts';
import * as incidents from './rest/incidents.ts';
import * as notify from './rest/notify.ts';
import * as panel from './rest/panel.ts';
import * as phone from './rest/phone.ts';
import * as registry from './rest/registry.ts';
import type { Route } from './rest/route.ts';
import * as rules from './rest/rules.ts';
import * as system from './rest/system.ts';
import * as talk from './rest/talk.ts';

export type Json = Record<string, unknown>;
export type Direction = 'input' | 'output';
export type Components = {
  /** All components that the routes use, by name. */
  components: Json;
  /** A schema as it stands in a body: a reference when it has a name. */
  reference: (direction: Direction, schema: z.ZodType) => Json;
  /** A schema spelled out: for parameters, which are listed one by one. */
  spelledOut: (schema: z.ZodType) => Json;
};

export const componentRoot = '#/components/schemas/';
const modules = [primitives, permissions, eventTypes, events, feed, mqtt, identity, registry, commands, restEvents, rules, incidents, notify, system, panel, camera, footage, talk, phone, emergency]; // prettier-ignore

/** Converts all schemas of the routes, and whatever they refer to. */
export function convertSchemas(table: Readonly<Record<string, Route>>): Components {
  const list = Object.values(table);
  const ids = identify(list);
  const all = new Map([...ids].map(([schema, id]) => [id, schema] as const));
  const incoming = convert(all, 'input');
  const outgoing = convert(all, 'output');
  const idOf = (schema: z.ZodType): string => ids.get(schema) ?? '';

  const outRoots = list.flatMap((route) => (route.response ? [idOf(route.response)] : []));
  const inRoots = list.flatMap((route) => (route.body ? [idOf(route.body)] : []));
  const parameterForms = list.flatMap(({ params, query }) =>
    [params, query].flatMap((s) => (s ? [incoming[idOf(s)]] : [])),
  );
  const outNames = closure(outgoing, [...outRoots, 'Problem']);
  const inNames = closure(incoming, [...inRoots, ...refsIn(parameterForms)]);
  const differing = differingComponents(incoming, outgoing);
  const inputName = (name: string): string =>
    differing.has(name) && outNames.has(name) ? `${name}Input` : name;

  const components: Json = {};
  for (const name of outNames) components[name] = outgoing[name];
  for (const name of inNames) components[inputName(name)] ??= mapRefs(incoming[name] ?? {}, inputName);
  const form = (direction: Direction, id: string): Json =>
    direction === 'input' ? mapRefs(incoming[id] ?? {}, inputName) : (outgoing[id] ?? {});
  return {
    components: sortedWithoutInline(components),
    reference: (direction, schema) => {
      const id = idOf(schema);
      if (isInline(id)) return form(direction, id);
      return { $ref: componentRoot + (direction === 'input' ? inputName(id) : id) };
    },
    spelledOut: (schema) => form('input', idOf(schema)),
  };
}

/** Schemas without a name of their own get an id that starts with `@` and are written where they are used. */
const isInline = (id: string): boolean => id.startsWith('@');

function identify(list: readonly Route[]): Map<z.ZodType, string> {
  const ids = new Map([...namedSchemas()].map(([name, schema]) => [schema, name] as const));
  for (const route of list) {
    for (const schema of [route.params, route.query, route.body, route.response]) {
      if (schema && !ids.has(schema)) ids.set(schema, `@${ids.size}`);
    }
  }
  return ids;
}

function namedSchemas(): Map<string, z.ZodType> {
  const named = new Map<string, z.ZodType>([['Problem', Problem]]);
  for (const module of modules) {
    for (const [name, value] of Object.entries(module)) {
      if (!(value instanceof z.ZodType) || [...named.values()].includes(value)) continue;
      // Two nouns may share a name in two modules; the later one is told apart by what it is about.
      named.set(named.has(name) ? `Notification${name}` : name, value);
    }
  }
  return named;
}

function convert(all: ReadonlyMap<string, z.ZodType>, io: Direction): Record<string, Json> {
  const ids = z.registry<{ id: string }>();
  for (const [id, schema] of all) ids.add(schema, { id });
  const { schemas } = z.toJSONSchema(ids, {
    io,
    unrepresentable: 'any',
    uri: (id) => componentRoot + id,
    override: ({ jsonSchema }) => {
      // zod spells out JavaScript's safe integers; that bound is no rule of ours.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // An answer may gain fields in a later release; a client that refuses those would break.
      if (io === 'output' && jsonSchema.additionalProperties === false)
        delete jsonSchema.additionalProperties;
    },
  });
  const result: Record<string, Json> = {};
  for (const [id, schema] of Object.entries(schemas)) {
    const { $schema: _dialect, $id: _id, id: _name, ...rest } = schema as Json;
    result[id] = rest;
  }
  return result;
}

function differingComponents(incoming: Record<string, Json>, outgoing: Record<string, Json>): Set<string> {
  const names = Object.keys(outgoing).filter((name) => !name.startsWith('@'));
  const differing = new Set(
    names.filter((name) => JSON.stringify(incoming[name]) !== JSON.stringify(outgoing[name])),
  );
  for (let before = -1; before !== differing.size;) {
    before = differing.size;
    for (const name of names) {
      if (refsIn(outgoing[name] ?? {}).some((ref) => differing.has(ref))) differing.add(name);
    }
  }
  return differing;
}

/** These names and all that they refer to, directly or through others. */
function closure(forms: Record<string, Json>, roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const open = [...roots];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...refsIn(forms[name] ?? {}));
  }
  return found;
}

/** Names of the components that a schema refers to. */
function refsIn(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  );
}

const mapRefs = (value: Json, rename: (name: string) => string): Json =>
  JSON.parse(
    JSON.stringify(value).replaceAll(
      /"#\/components\/schemas\/([^"]+)"/g,
      (_, name: string) => `"${componentRoot}${rename(name)}"`,
    ),
  ) as Json;

const sortedWithoutInline = (value: Json): Json =>
  Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !isInline(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
