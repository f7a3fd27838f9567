/**
 * PullPoint messages → what happened (ONVIF Core §9.4, Analytics annex, DeviceIO §8). Pure. What must stay true: what is
 * `Initialized` tells a state, never that something happened now.
 */
import { createHash } from 'node:crypto';
import { find, findAll, textAt, type XmlNode } from './xml.ts';

export type Notification = {
  /** Without the namespace prefixes, which are the camera's own to choose. */
  topic: string;
  /** Detector, input or rule, as one text. */
  source: string;
  data: Readonly<Record<string, string>>;
  operation: 'Initialized' | 'Changed' | 'Deleted' | undefined;
  /** As the camera wrote it. */
  utcTime: string;
};

export type Meaning =
  | { kind: 'motion' | 'tamper' | 'input' | 'relay'; on: boolean }
  | { kind: 'line' | 'intrusion' | 'analytics'; text: string };

/** One answer may carry as many; more than asked for are dropped. */
const messagesMax = 1_000;

export function readNotifications(root: XmlNode): Notification[] {
  return findAll(find(root, 'Body')?.children[0], 'NotificationMessage')
    .slice(0, messagesMax)
    .flatMap((one) => {
      const message = find(one, 'Message', 'Message');
      const topic = (textAt(one, 'Topic') ?? '')
        .split('/')
        .map((part) => part.slice(part.lastIndexOf(':') + 1).trim())
        .join('/')
        .slice(0, 200);
      if (!message || topic === '') return [];
      return [
        {
          topic,
          source: Object.values(items(message, 'Source')).join('/').slice(0, 120),
          data: items(message, 'Data'),
          operation: operationOf(message.attributes['PropertyOperation']),
          utcTime: (message.attributes['UtcTime'] ?? '').slice(0, 40),
        },
      ];
    });
}

function items(message: XmlNode, name: string): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const { attributes } of findAll(find(message, name), 'SimpleItem').slice(0, 32))
    found[(attributes['Name'] ?? '').slice(0, 64)] = (attributes['Value'] ?? '').slice(0, 200);
  return { ...found };
}

const operationOf = (text: string | undefined): Notification['operation'] =>
  text === 'Initialized' || text === 'Changed' || text === 'Deleted' ? text : undefined;

const states: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  active: true,
  on: true,
  false: false,
  '0': false,
  inactive: false,
  off: false,
};

/** The state an item carries; undefined when none does. */
function stateOf(data: Notification['data'], names: readonly string[]): boolean | undefined {
  for (const name of names) {
    const state = states[(data[name] ?? '').toLowerCase()];
    if (state !== undefined) return state;
  }
  return undefined;
}

const level = (
  kind: 'motion' | 'tamper' | 'input' | 'relay',
  on: boolean | undefined,
): Meaning | undefined => (on === undefined ? undefined : { kind, on });

/** What a topic means; undefined for what no guard asks about (processor load, recording jobs, profile changes …). */
export function meaningOf({ topic, data }: Notification): Meaning | undefined {
  if (
    /(^|\/)(CellMotionDetector|MotionRegionDetector)\/Motion$|VideoSource\/Motion(Alarm)?$|VideoAnalytics\/Motion/.test(
      topic,
    )
  )
    return level('motion', stateOf(data, ['IsMotion', 'State', 'Value', 'Motion']));
  if (/Tamper|GlobalSceneChange|ImageTooBlurry|ImageTooDark|ImageTooBright/.test(topic))
    return level('tamper', stateOf(data, ['IsTamper', 'State', 'Value', 'Tamper']));
  if (/Trigger\/DigitalInput$/.test(topic)) return level('input', stateOf(data, ['LogicalState', 'State']));
  if (/Trigger\/Relay$/.test(topic)) return level('relay', stateOf(data, ['LogicalState', 'State']));
  if (/LineDetector|LineCross|CrossLine/i.test(topic)) return crossing('line', data);
  if (/FieldDetector|IntrusionDetector|Intrusion|ObjectsInside|LoiteringDetector/i.test(topic))
    return crossing('intrusion', data);
  if (/^(RuleEngine|VideoAnalytics)\//.test(topic)) return crossing('analytics', data);
  return undefined;
}

/** Rules that carry a state are told when it begins; its end is none of the three. */
function crossing(kind: 'line' | 'intrusion' | 'analytics', data: Notification['data']): Meaning | undefined {
  const state = stateOf(data, ['State', 'IsInside', 'IsIntrusion', 'IsLine', 'IsCrossing', 'Value']);
  if (state === false) return undefined;
  const text = Object.entries(data)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ')
    .slice(0, 300);
  return { kind, text };
}

/** The same for the same message of the same camera, however often it is pulled: what comes twice is one event to core. */
export function eventId(cameraId: string, ...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([cameraId, ...parts]))
    .digest('hex');
  return `cam-${hash.slice(0, 40)}`;
}
