/** What the ONVIF services have in common: operations by namespace and name, and the small types of the schema. */
import type { CameraState } from './camera-state.ts';
import type { Subscription } from './subscriptions.ts';
import { escapeXml, type XmlNode } from './xml.ts';

export type Call = {
  /** The element inside the SOAP body. */
  request: XmlNode;
  camera: CameraState;
  /** Where the request was posted to, when that is a pull point. */
  subscription: Subscription | undefined;
};

/** Answers the inside of the SOAP body, or throws a SoapFault. */
export type Operation = (call: Call) => string | Promise<string>;
export type Service = Readonly<Record<string, Operation>>;

/** `<name attributes>inner</name>`; text is escaped by the caller. */
export function tag(
  name: string,
  inner = '',
  attributes: Readonly<Record<string, string | number | boolean>> = {},
): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(String(value))}"`);
  return `<${name}${list.join('')}>${inner}</${name}>`;
}

/** An ISO 8601 duration such as PT1M30.5S, in milliseconds; undefined for anything else. */
export function durationMs(text: string | undefined): number | undefined {
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text ?? '');
  if (!found || text === 'P') return undefined;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();
