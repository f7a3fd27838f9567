/** Fills `{device}`, `{area}`, `{event}` and `{data.x}` in titles and in what is spoken. Unknown placeholders stay as written. */
import { compilePath } from './data-path.ts';
import type { Occurrence } from './occurrence.ts';
import { shorten, valueCharsMax } from './words.ts';

/** Longest title an incident takes (contract `IncidentAction.title`). */
const titleCharsMax = 200;

export function fillTemplate(
  template: string,
  occurrence: Occurrence,
  charsMax: number = titleCharsMax,
): string {
  if (!template.includes('{')) return template;
  const filled = template.replace(placeholder, (whole, name: string) => valueOf(name, occurrence) ?? whole);
  return shorten(filled, charsMax);
}

const placeholder = /\{(device|area|event|data(?:\.[\w-]+){1,6})\}/g;

function valueOf(name: string, occurrence: Occurrence): string | undefined {
  if (name === 'event') return shorten(occurrence.title);
  if (name === 'area') return shorten(occurrence.area?.name ?? 'unknown area');
  if (name === 'device') return shorten(deviceName(occurrence));
  return dataText(compilePath(name.slice('data.'.length))(occurrence.data));
}

/** A panel's zone has a name long before an admin maps it to a device; else the source tells at least who spoke. */
function deviceName(occurrence: Occurrence): string {
  if (occurrence.device) return occurrence.device.name;
  const zoneName = compilePath('zone_name')(occurrence.data);
  return typeof zoneName === 'string' && zoneName !== '' ? zoneName : occurrence.source;
}

function dataText(value: unknown): string {
  if (value === undefined || value === null) return 'unknown';
  if (typeof value === 'string') return shorten(value);
  return shorten(JSON.stringify(value).slice(0, valueCharsMax * 2));
}
