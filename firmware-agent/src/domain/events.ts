/** From what a driver reports to the CloudEvent that is queued. */
import { eventBytesMax, eventClasses, eventTypes, IncomingEvent } from '@siphera/contract';
import type { Child } from '../enrol/identity.ts';
import { AgentError } from './agent-error.ts';
import { type Clock, toRfc3339 } from './clock.ts';
import type { DriverEvent } from './driver.ts';
import type { Random } from './random.ts';

/** Room in an event for `stream`, `sequence` and `floor`, which are added when it is sent. */
const envelopeBytes = 256;

/**
 * Alarms stay when the queue is full. A type that this agent does not know may belong to a newer box: it is sent as it
 * is, and counts as ordinary.
 */
export function isKept(type: string): boolean {
  const definition = eventTypes[type];
  return definition !== undefined && eventClasses[definition.class].alarm;
}

/** Finds a device by id or serial: the agent itself or one behind it. */
export function resolveDevice(
  own: string,
  children: readonly Child[],
  name: string | undefined,
): string | undefined {
  if (name === undefined || name === own) return own;
  return children.find((child) => child.id === name || child.external_id === name)?.id;
}

export type EventContext = { deviceId: string; children: readonly Child[]; clock: Clock; random: Random };

/** The event as it is kept; throws an AgentError that a driver's author can act on. */
export function buildEvent(context: EventContext, report: DriverEvent): IncomingEvent {
  const subject = resolveDevice(context.deviceId, context.children, report.device);
  if (subject === undefined) {
    throw new AgentError('unknown_device', `No device "${report.device}" behind this agent`);
  }
  const event: IncomingEvent = {
    specversion: '1.0',
    id: report.id ?? context.random.uuid(),
    source: `urn:siphera:device:${context.deviceId}`,
    type: report.type,
    time: report.time ?? toRfc3339(context.clock.now()),
    subject,
    datacontenttype: 'application/json',
    traceparent: `00-${context.random.hex(16)}-${context.random.hex(8)}-01`,
    data: report.data ?? {},
  };
  const parsed = IncomingEvent.safeParse(event);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new AgentError(
      'event_invalid',
      `${issue?.path.join('.') ?? 'event'}: ${issue?.message ?? 'invalid'}`,
    );
  }
  const wrong = eventTypes[event.type]?.data.safeParse(event.data).error?.issues[0];
  if (wrong) throw new AgentError('event_invalid', `data.${wrong.path.join('.')}: ${wrong.message}`);
  return parsed.data;
}

/** The bytes to queue; throws `event_too_big` beyond what the box takes. */
export function encodeEvent(event: IncomingEvent): Buffer {
  const payload = Buffer.from(JSON.stringify(event));
  if (payload.length + envelopeBytes > eventBytesMax) {
    throw new AgentError(
      'event_too_big',
      `The event has ${payload.length} bytes, the box takes ${eventBytesMax}`,
    );
  }
  return payload;
}
