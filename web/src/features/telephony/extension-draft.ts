/** A number of the box as its form edits it, and back to what the bridge takes. */
import type { Extension, ExtensionBody } from '#features/telephony/telephony-types.ts';

export type ExtensionDraft = {
  number: string;
  kind: Extension['kind'];
  name: string;
  user_id: string;
  members: string[];
  duty: boolean;
  fallback: string;
  ring_s: number;
  ownClasses: boolean;
  classes: NonNullable<Extension['classes']>;
  outside_number: string;
  area_id: string;
  location_id: string;
  device_id: string;
  camera_id: string;
  door_id: string;
  open_digit: string;
  open_seconds: number;
  rings: string;
};

const defaultRingSeconds = 30;
const defaultOpenSeconds = 5;

export const toDraft = (one: Extension | undefined): ExtensionDraft => ({
  number: one?.number ?? '',
  kind: one?.kind ?? 'phone',
  name: one?.name ?? '',
  user_id: one?.user_id ?? '',
  members: [...(one?.members ?? [])],
  duty: one?.duty ?? false,
  fallback: one?.fallback ?? '',
  ring_s: one?.ring_s ?? defaultRingSeconds,
  ownClasses: one?.classes !== null && one?.classes !== undefined,
  classes: [...(one?.classes ?? ['internal'])],
  outside_number: one?.outside_number ?? '',
  area_id: one?.area_id ?? '',
  location_id: one?.location_id ?? '',
  device_id: one?.device_id ?? '',
  camera_id: one?.camera_id ?? '',
  door_id: one?.door_id ?? '',
  open_digit: one?.open_digit ?? '',
  open_seconds: one?.open_seconds ?? defaultOpenSeconds,
  rings: one?.rings ?? '',
});

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

/** Fields that the kind does not have are left empty, whatever was typed before the kind was changed. */
export function toBody(draft: ExtensionDraft): ExtensionBody {
  const { kind } = draft;
  const isDoor = kind === 'door';
  const isGroup = kind === 'group';
  return {
    number: draft.number.trim(),
    kind,
    name: draft.name.trim(),
    user_id: kind === 'user' ? orNull(draft.user_id) : null,
    members: isGroup ? draft.members : [],
    duty: isGroup && draft.duty,
    fallback: orNull(draft.fallback),
    ring_s: draft.ring_s,
    classes: draft.ownClasses && !isGroup ? draft.classes : null,
    outside_number: orNull(draft.outside_number),
    area_id: isGroup ? null : orNull(draft.area_id),
    location_id: isGroup ? null : orNull(draft.location_id),
    device_id: isDoor || kind === 'phone' ? orNull(draft.device_id) : null,
    camera_id: isDoor ? orNull(draft.camera_id) : null,
    door_id: isDoor ? orNull(draft.door_id) : null,
    open_digit: isDoor ? orNull(draft.open_digit) : null,
    open_seconds: draft.open_seconds,
    rings: isDoor ? orNull(draft.rings) : null,
  };
}
