/**
 * Who sits here, as far as the softphone has told: the emergency line knows no session. Kept for this tab alone, so that a page that is
 * loaded again while the box is down still calls as who it was; taken away at sign-out.
 */
import { shallowRef } from 'vue';

export type Caller = { number: string; name: string };
/** Where the caller said he is, while that is not stale. */
export type KnownPlace = { id: string; label: string };

const key = 'siphera_emergency_caller';
export const caller = shallowRef<Caller | undefined>(kept());
export const knownPlace = shallowRef<KnownPlace | undefined>();

export function setCaller(next: Caller | undefined): void {
  caller.value = next;
  if (next) sessionStorage.setItem(key, JSON.stringify(next));
  else {
    sessionStorage.removeItem(key);
    knownPlace.value = undefined;
  }
}

function kept(): Caller | undefined {
  try {
    const said = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Partial<Caller> | null;
    return typeof said?.number === 'string' && /^\d{2,6}$/.test(said.number)
      ? { number: said.number, name: typeof said.name === 'string' ? said.name : '' }
      : undefined;
  } catch {
    return undefined;
  }
}
