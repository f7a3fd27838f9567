/**
 * What has to be done with the device of somebody whose session ended, although the page goes at the same moment: noted before the
 * page goes, done by whichever page of the console comes next. The note holds no secret.
 */

const prefix = 'siphera_talk_end:';
/** `lock`: opens no more without the server. `wipe`: was removed, nothing of it may stay. */
export type Ending = 'lock' | 'wipe';

/** A wipe stays a wipe whatever is noted after it. */
export function noteEnding(userId: string, ending: Ending): void {
  if (localStorage.getItem(prefix + userId) !== 'wipe') localStorage.setItem(prefix + userId, ending);
}

export const forgetEnding = (userId: string): void => localStorage.removeItem(prefix + userId);

export function notedEndings(): { userId: string; ending: Ending }[] {
  return Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix))
    .map((key) => ({
      userId: key.slice(prefix.length),
      ending: localStorage.getItem(key) === 'wipe' ? 'wipe' : 'lock',
    }));
}

/** At each start of the console; fetches what it needs only when something was noted. */
export async function finishEndings(): Promise<void> {
  if (notedEndings().length === 0) return;
  const { endDevices } = await import('#features/talk/place/end-devices.ts');
  await endDevices();
}
