/** How a device is shown anywhere: icon, tone and words. What is not known is never shown as fine. */
import type { DeviceKind } from '@siphera/contract';
import {
  AlarmSmoke,
  Cctv,
  Cpu,
  DoorClosed,
  DoorOpen,
  Footprints,
  Grid2x2X,
  IdCard,
  OctagonAlert,
  Phone,
  ShieldAlert,
} from '@lucide/vue';
import type { Component } from 'vue';
import type { Device } from '#features/devices/devices.store.ts';

export type DeviceTone = 'alarm' | 'warn' | 'off' | 'unknown' | 'ok' | 'open';

const icons: Record<DeviceKind, Component> = {
  door: DoorClosed,
  reader: IdCard,
  motion: Footprints,
  smoke: AlarmSmoke,
  glass_break: Grid2x2X,
  panic: OctagonAlert,
  camera: Cctv,
  panel: ShieldAlert,
  controller: Cpu,
  intercom: Phone,
};
const openStates = new Set(['open', 'unlocked', 'held', 'forced']);
const alarmStates = new Set(['forced', 'alarm']);

export function deviceIcon(device: Pick<Device, 'kind' | 'state'>): Component {
  if (device.kind === 'door' && device.state !== null && openStates.has(device.state)) return DoorOpen;
  return icons[device.kind];
}

export const kindIcon = (kind: DeviceKind): Component => icons[kind];

export function deviceTone(device: Pick<Device, 'status' | 'conditions' | 'state'>): DeviceTone {
  if (device.conditions.includes('alarm') || alarmStates.has(device.state ?? '')) return 'alarm';
  if (device.status === 'offline') return 'off';
  if (device.status !== 'online') return 'unknown';
  if (device.conditions.length > 0) return 'warn';
  return openStates.has(device.state ?? '') || device.state === 'motion' ? 'open' : 'ok';
}
