/** What a person is doing, as one word. Do not disturb counts only until its end. Pure. */
import type { PersonPresence } from '#features/talk/talk.store.ts';

export type PresenceWord = 'duty' | 'online' | 'dnd' | 'dutyAway' | 'offline';

export function presenceWord(
  presence: Omit<PersonPresence, 'user_id'> | undefined,
  now: number,
): PresenceWord {
  if (!presence) return 'offline';
  if (presence.dnd_until !== null && Date.parse(presence.dnd_until) > now) return 'dnd';
  if (presence.online) return presence.on_duty ? 'duty' : 'online';
  return presence.on_duty ? 'dutyAway' : 'offline';
}
