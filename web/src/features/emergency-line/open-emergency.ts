/** Opens the emergency line from anywhere: the one thing that the rest of the console imports. It must stay small, and need nothing. */
import { ref, shallowRef } from 'vue';

/** What was dialled, to be confirmed; empty: all numbers are offered. */
export const emergencyAsked = shallowRef<{ number: string } | undefined>();
/** A call is on, or may be called back: nothing may load the page anew. */
export const emergencyBusy = ref(false);

export function openEmergencyLine(number = ''): void {
  if (!emergencyAsked.value) emergencyAsked.value = { number };
}
