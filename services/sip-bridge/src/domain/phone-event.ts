/** Events of phones and trunks for core. Their ids follow from what they tell, so that telling it twice changes nothing. */
import type { IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { PlannedExtension, PlannedTrunk } from '../plan.part.ts';

const source = 'sip-bridge/plan';

export const trunkEvent = (
  trunk: Pick<PlannedTrunk, 'id' | 'org_id' | 'name'>,
  type: 'phone.trunk_lost' | 'phone.trunk_restored',
  what: { sinceMs: number; reason: string; atMs: number },
): IncomingEvent => ({
  specversion: '1.0',
  id: `${type}:${trunk.id}:${Math.round(what.sinceMs)}`,
  source,
  type,
  time: toRfc3339(what.atMs),
  datacontenttype: 'application/json',
  orgid: trunk.org_id,
  data: { trunk: trunk.name.slice(0, 120), reason: what.reason.slice(0, 300) },
});

/** About its device when the registry has it, else about the area it stands in. */
export const phoneEvent = (
  phone: Pick<PlannedExtension, 'id' | 'org_id' | 'number' | 'name' | 'device_id' | 'area_id'>,
  type: 'phone.registration_lost' | 'phone.registration_restored',
  what: { sinceMs: number; atMs: number },
): IncomingEvent => ({
  specversion: '1.0',
  id: `${type}:${phone.id}:${Math.round(what.sinceMs)}`,
  source,
  type,
  time: toRfc3339(what.atMs),
  datacontenttype: 'application/json',
  orgid: phone.org_id,
  ...(phone.device_id === null ? {} : { subject: phone.device_id }),
  ...(phone.area_id === null ? {} : { areaid: phone.area_id }),
  data: { note: `${phone.number}, ${phone.name}`.slice(0, 500) },
});
