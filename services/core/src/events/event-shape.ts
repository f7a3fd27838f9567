/** Checks an arrival against the envelope and its type's schema. Pure. */
import { eventTypes, IncomingEvent, type EventTypeDefinition } from '@siphera/contract/base';
import type { DeadCode } from './arrival.ts';

export type Shaped = {
  event: IncomingEvent;
  definition: EventTypeDefinition;
  data: Record<string, unknown>;
  areaId: string | undefined;
};
export type Misshapen = { code: DeadCode; reason: string; id: string };

const versionOf = (schema: string | undefined): number | undefined => {
  const found = schema === undefined ? undefined : /\/v?(\d{1,4})$/.exec(schema)?.[1];
  return found === undefined ? undefined : Number(found);
};

export function shapeEvent(value: unknown): Shaped | Misshapen {
  const envelope = IncomingEvent.safeParse(value);
  if (!envelope.success)
    return { code: 'schema', reason: describe('event', envelope.error.issues), id: idOf(value) };
  const event = envelope.data;
  const definition = Object.hasOwn(eventTypes, event.type) ? eventTypes[event.type] : undefined;
  if (!definition)
    return {
      code: 'unknown_type',
      reason: `There is no event type "${event.type}". See /api/v1/event-types.`,
      id: event.id,
    };
  const version = versionOf(event.dataschema);
  if (version !== undefined && version > definition.version) {
    return {
      code: 'unsupported_version',
      reason: `${event.type} version ${version} is newer than ours (${definition.version}). Update the box.`,
      id: event.id,
    };
  }
  const data = definition.data.safeParse(event.data ?? {});
  if (!data.success) return { code: 'schema', reason: describe('data', data.error.issues), id: event.id };
  const areaId = typeof event['areaid'] === 'string' ? event['areaid'] : undefined;
  return { event, definition, data: data.data as Record<string, unknown>, areaId };
}

const describe = (root: string, issues: ReadonlyArray<{ path: PropertyKey[]; message: string }>): string =>
  issues
    .slice(0, 5)
    .map((issue) => `${[root, ...issue.path.map(String)].join('.')}: ${issue.message}`)
    .join('; ');

const idOf = (value: unknown): string => {
  const id: unknown =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['id'] : undefined;
  return typeof id === 'string' ? id.slice(0, 128) : '';
};
