/** The words for a device's state, in the user's language. */
import { useI18n } from 'vue-i18n';
import type { Device } from '#features/devices/devices.store.ts';

export function useDeviceWords() {
  const { t, te } = useI18n();
  const state = (value: string | null): string | undefined => {
    if (value === null || value === '') return undefined;
    return te(`ui.deviceState.${value}`) ? t(`ui.deviceState.${value}`) : value;
  };
  return {
    state,
    /** "Locked", "Offline · Battery low": everything worth saying, the worst first. */
    summary: (device: Device): string =>
      [
        ...(device.status === 'online' ? [] : [t(`ui.deviceStatus.${device.status}`)]),
        ...device.conditions.map((condition) => t(`ui.deviceCondition.${condition}`)),
        state(device.state) ?? (device.status === 'online' ? t('ui.deviceStatus.online') : undefined),
      ]
        .filter((word) => word !== undefined)
        .join(' · '),
  };
}
