/** An account as a form edits it, and back to what the receiver takes. */
import { ref, type Ref } from 'vue';
import type { PanelAccount } from '#features/panels/panel-types.ts';

export type AccountDraft = {
  account: string;
  name: string;
  site_id: string;
  device_id: string;
  area_id: string;
  supervised: boolean;
  supervision_ms: number;
  key_hex: string;
  require_encryption: boolean;
};

/** Panels test their line every few minutes; twice that is a fair first guess. */
const defaultSupervisionMs = 10 * 60_000;
const keyBytes = 16;

export const useAccountDraft = (account: PanelAccount | undefined): Ref<AccountDraft> =>
  ref(toDraft(account));

export const toDraft = (account: PanelAccount | undefined): AccountDraft => ({
  account: account?.account ?? '',
  name: account?.name ?? '',
  site_id: account?.site_id ?? '',
  device_id: account?.device_id ?? '',
  area_id: account?.area_id ?? '',
  supervised: account?.supervision_ms !== null && account?.supervision_ms !== undefined,
  supervision_ms: account?.supervision_ms ?? defaultSupervisionMs,
  key_hex: '',
  require_encryption: account?.require_encryption ?? false,
});

export function toSettings(draft: AccountDraft) {
  const key = draft.key_hex.replaceAll(/\s/g, '');
  return {
    name: draft.name.trim(),
    site_id: draft.site_id,
    device_id: draft.device_id === '' ? null : draft.device_id,
    area_id: draft.area_id === '' ? null : draft.area_id,
    supervision_ms: draft.supervised ? draft.supervision_ms : null,
    require_encryption: draft.require_encryption,
    ...(key === '' ? {} : { key_hex: key }),
  };
}

/** A new key from the browser's own source of chance. */
export const makeKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(keyBytes))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
