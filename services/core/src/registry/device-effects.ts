/** What an event says about its device and area: last seen, state, conditions, armed. */
import type { DeviceCondition } from '@siphera/contract';
import type { z } from 'zod';
import type { Tx } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { announceDevice } from './device-writes.ts';
import { changedArea } from './place-writes.ts';
import type { IndexedArea, IndexedDevice } from './store/registry-index.ts';
import { systemActor } from '../kernel/actor.ts';

type Condition = z.infer<typeof DeviceCondition>;
export type DeviceEffect = {
  type: string;
  device: IndexedDevice | undefined;
  area: IndexedArea | undefined;
  data: Readonly<Record<string, unknown>>;
  nowMs: number;
  clockSuspect: boolean;
  traceId: string;
};

/** "Last seen" is written this often at most: it is for people, and each write costs an index-free update. */
const seenEveryMs = 15_000;

const states: Readonly<Record<string, string>> = {
  'door.opened': 'open',
  'door.closed': 'closed',
  'door.locked': 'locked',
  'door.unlocked': 'unlocked',
  'door.forced': 'open',
  'door.held': 'open',
  'motion.started': 'motion',
  'motion.ended': 'clear',
  'smoke.alarm': 'alarm',
  'smoke.restored': 'clear',
};
const conditions: Readonly<Record<string, { condition: Condition; on: boolean }>> = {
  'tamper.alarm': { condition: 'tamper', on: true },
  'tamper.restored': { condition: 'tamper', on: false },
  'panel.tamper': { condition: 'tamper', on: true },
  'battery.low': { condition: 'low_battery', on: true },
  'battery.restored': { condition: 'low_battery', on: false },
  'power.lost': { condition: 'power_lost', on: true },
  'power.restored': { condition: 'power_lost', on: false },
  'smoke.alarm': { condition: 'alarm', on: true },
  'smoke.restored': { condition: 'alarm', on: false },
  'panel.alarm': { condition: 'alarm', on: true },
  'panel.fire': { condition: 'alarm', on: true },
  'panel.restored': { condition: 'alarm', on: false },
};

/** What the box says about a device's footage tells nothing of whether the device is there. */
const saysNothingOfStatus = new Set([
  'camera.recording_lost',
  'camera.storage_failed',
  'camera.retention_short',
]);

/** A phone or door station that lost its registration is reached by nobody. */
const saysGone = new Set(['device.offline', 'phone.registration_lost']);

type Row = { status: string; conditions: string; state: string | null; last_seen_ms: number | null };

export function applyEventToDevice(tx: Tx, deps: WriterDeps, effect: DeviceEffect): void {
  if (effect.device) updateDevice(tx, effect.device, effect);
  if (effect.area && (effect.type === 'panel.closed' || effect.type === 'panel.opened'))
    updateArmed(tx, deps, effect.area, effect);
}

function updateDevice(tx: Tx, device: IndexedDevice, effect: DeviceEffect): void {
  const row = tx.db
    .prepare<[string], Row>('SELECT status, conditions, state, last_seen_ms FROM devices WHERE id = ?')
    .get(device.id);
  if (!row) return;
  const heardOfIt = !saysNothingOfStatus.has(effect.type);
  const status = heardOfIt ? (saysGone.has(effect.type) ? 'offline' : 'online') : row.status;
  const state = states[effect.type] ?? row.state;
  const next = nextConditions(row.conditions, effect);
  const changed = status !== row.status || state !== row.state || next !== row.conditions;
  if (!changed && row.last_seen_ms !== null && effect.nowMs - row.last_seen_ms < seenEveryMs) return;
  tx.db
    .prepare(
      'UPDATE devices SET status = ?, state = ?, conditions = ?, last_seen_ms = ?, revision = revision + ? WHERE id = ?',
    )
    .run(
      status,
      state,
      next,
      heardOfIt && status === 'online' ? effect.nowMs : row.last_seen_ms,
      changed ? 1 : 0,
      device.id,
    );
  if (changed) announceDevice(tx, device.id, 'updated', effect.traceId);
}

function nextConditions(before: string, effect: DeviceEffect): string {
  const change = conditions[effect.type];
  if (!change && !effect.clockSuspect) return before;
  const set = new Set(JSON.parse(before) as Condition[]);
  if (change?.on) set.add(change.condition);
  if (change && !change.on) set.delete(change.condition);
  if (effect.clockSuspect) set.add('clock_skew');
  return JSON.stringify([...set].sort());
}

function updateArmed(tx: Tx, deps: WriterDeps, area: IndexedArea, effect: DeviceEffect): void {
  const armed =
    effect.type === 'panel.opened' ? 'disarmed' : effect.data['qualifier'] === 'status' ? 'partial' : 'armed';
  if (armed === area.armed) return;
  tx.db
    .prepare('UPDATE areas SET armed = ?, armed_changed_ms = ? WHERE id = ?')
    .run(armed, effect.nowMs, area.id);
  changedArea({ ...tx, actor: systemActor(area.orgId), traceId: effect.traceId }, area.id, 'updated', deps);
}
