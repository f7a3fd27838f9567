/** What a person is doing, as one word. Do not disturb counts only until its end. Pure. */
import type { Presence } from '@siphera/contract';
import type { z } from 'zod';

export type PersonPresence = Omit<z.infer<typeof Presence>, 'user_id'>;
export type PresenceWord = 'duty' | 'online' | 'dnd' | 'dutyAway' | 'offline';

export function presenceWord(presence: PersonPresence | undefined, now: number): PresenceWord {
  if (!presence) return 'offline';
  if (presence.dnd_until !== null && Date.parse(presence.dnd_until) > now) return 'dnd';
  if (presence.online) return presence.on_duty ? 'duty' : 'online';
  return presence.on_duty ? 'dutyAway' : 'offline';
}
