/** A dispatchable location as its form edits it, and back. */
import {
  civicFields,
  type Civic,
  type Location,
  type LocationBody,
} from '#features/emergency/emergency-types.ts';

export type LocationDraft = {
  label: string;
  site_id: string;
  area_ids: string[];
  networks: string;
  civic: Record<keyof Civic, string>;
  callback_number: string;
  provider_id: string;
  is_default: boolean;
  nearest_phone: string;
};

export function toDraft(one: Location | undefined, like?: Location): LocationDraft {
  const civic = Object.fromEntries(
    civicFields.map((name) => [name, one?.civic[name] ?? like?.civic[name] ?? '']),
  ) as Record<keyof Civic, string>;
  // The next place is mostly in the same house, on another floor.
  if (!one) for (const name of ['FLR', 'UNIT', 'ROOM', 'LMK', 'LOC'] as const) civic[name] = '';
  return {
    label: one?.label ?? '',
    site_id: one?.site_id ?? like?.site_id ?? '',
    area_ids: [...(one?.area_ids ?? [])],
    networks: (one?.networks ?? []).join('\n'),
    civic,
    callback_number: one?.callback_number ?? '',
    provider_id: one?.provider_id ?? '',
    is_default: one?.is_default ?? false,
    nearest_phone: one?.nearest_phone ?? '',
  };
}

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

export const toBody = (draft: LocationDraft): LocationBody => ({
  label: draft.label.trim(),
  site_id: draft.site_id,
  area_ids: draft.area_ids,
  networks: draft.networks.split(/[\s,]+/).filter((one) => one !== ''),
  civic: { ...draft.civic, country: draft.civic.country.trim().toUpperCase() },
  callback_number: orNull(draft.callback_number),
  provider_id: draft.provider_id.trim(),
  is_default: draft.is_default,
  nearest_phone: orNull(draft.nearest_phone),
});
