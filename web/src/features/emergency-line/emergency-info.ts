/**
 * Emergency numbers and places, without anybody signed in: from the front door's file, from the bridge, from what this browser kept, from
 * what is built in. What must stay true: there is always an answer at once, and 911 and 112 always count as emergency numbers.
 */
import type { Result } from '#api/client.ts';
import { shallowRef } from 'vue';

export type EmergencyInfo = Result<'getEmergencyInfo'>;

const fileUrl = '/emergency.json';
const serviceUrl = '/api/v1/sip/emergency/info';
const keptKey = 'siphera_emergency';
const placeKey = 'siphera_emergency_place';
/** Somebody waits in front of the screen; what is kept is shown meanwhile. */
const answerMsMax = 2_500;
const rowsMax = 2_000;
const textMax = 300;
const always = ['911', '112'];

const builtIn = (): EmergencyInfo => ({
  domain: location.hostname,
  numbers: always.map((number) => ({ number, label: '', test: false })),
  locations: [],
  default_location_id: null,
  ready: true,
  notes: '',
});

type Loose = Record<string, unknown>;
const text = (value: unknown): string => (typeof value === 'string' ? value.slice(0, textMax) : '');
const rows = (value: unknown): Loose[] =>
  Array.isArray(value)
    ? value.slice(0, rowsMax).filter((row): row is Loose => typeof row === 'object' && row !== null)
    : [];

export const emergencyInfo = shallowRef<EmergencyInfo>(kept() ?? builtIn());

/** Looks for newer; what is known stays when nobody answers. */
export async function refreshEmergencyInfo(): Promise<void> {
  for (const url of [fileUrl, serviceUrl]) {
    const found = await read(url);
    if (!found) continue;
    emergencyInfo.value = found;
    localStorage.setItem(keptKey, JSON.stringify(found));
    return;
  }
}

export const isEmergencyNumber = (dialled: string): boolean =>
  always.includes(dialled) || emergencyInfo.value.numbers.some(({ number }) => number === dialled);

/** Where the last one at this browser said he was. */
export const lastPlace = (): string | null => localStorage.getItem(placeKey);
export const keepPlace = (id: string): void => localStorage.setItem(placeKey, id);

async function read(url: string): Promise<EmergencyInfo | undefined> {
  try {
    const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(answerMsMax) });
    return answer.ok ? parseEmergencyInfo(await answer.json()) : undefined;
  } catch {
    // Away, or a page where the file should be.
    return undefined;
  }
}

function kept(): EmergencyInfo | undefined {
  try {
    return parseEmergencyInfo(JSON.parse(localStorage.getItem(keptKey) ?? 'null'));
  } catch {
    return undefined;
  }
}

/** Takes what is good of it: a damaged row must not hide the others, and a number that is missing is put in. */
export function parseEmergencyInfo(value: unknown): EmergencyInfo | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const said = value as Loose;
  const domain = text(said['domain']);
  if (!/^[A-Za-z0-9.:[\]-]+$/.test(domain)) return undefined;
  const numbers = rows(said['numbers'])
    .map((row) => ({ number: text(row['number']), label: text(row['label']), test: row['test'] === true }))
    .filter(({ number }) => /^[\d*#]{2,10}$/.test(number));
  const missing = numbers.some(({ test }) => !test)
    ? []
    : always.map((number) => ({ number, label: '', test: false }));
  return {
    domain,
    numbers: [...missing, ...numbers],
    locations: rows(said['locations'])
      .map((row) => ({
        id: text(row['id']),
        label: text(row['label']),
        nearest_phone: typeof row['nearest_phone'] === 'string' ? text(row['nearest_phone']) : null,
      }))
      .filter(({ id, label }) => /^[\w-]+$/.test(id) && label !== ''),
    default_location_id: typeof said['default_location_id'] === 'string' ? said['default_location_id'] : null,
    ready: said['ready'] !== false,
    notes: text(said['notes']),
  };
}
