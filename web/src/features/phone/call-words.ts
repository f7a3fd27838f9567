/** Names and lengths of calls, as history and board show them. */
import type { PhoneCall } from './phone.store.ts';
import { usePhone } from './phone.store.ts';

type Party = PhoneCall['from'];

export function usePartyNames() {
  const phone = usePhone();
  return {
    of: ({ number, name }: Party): string => {
      const shown = name || phone.nameOf(number);
      return shown === '' ? number : `${shown} (${number})`;
    },
  };
}

/** Minutes and seconds that were talked. */
export function callLength({ answered_at: from, ended_at: until }: PhoneCall): string {
  if (from === null || until === null) return '–';
  const seconds = Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / 1_000));
  return `${String(Math.floor(seconds / 60))}:${String(seconds % 60).padStart(2, '0')}`;
}
