/** How long a device session lasts, and what counts as a refresh token used twice. */
const dayMs = 86_400_000;

/** A console that was not opened for so long signs in again. */
const sessionIdleMsMax = 14 * dayMs;
/** However much it is used, a session ends after this. */
const sessionAgeMsMax = 90 * dayMs;
/** Two tabs, or a lost answer, may send the same refresh token twice within this; later it was stolen. */
export const refreshGraceMs = 20_000;
/** Sessions of one user; beyond it the one that was used longest ago ends. */
export const sessionsPerUserMax = 30;
/** Ended sessions are kept this long for the list of an audit, then pruned. */
export const endedSessionKeptMs = 30 * dayMs;

/** When the session ends if it is not used again. */
export const sessionExpiry = (createdMs: number, nowMs: number): number =>
  Math.min(nowMs + sessionIdleMsMax, createdMs + sessionAgeMsMax);

type RefreshVerdict = 'rotate' | 'repeat' | 'stolen' | 'unknown';

/** What to do with an authentic refresh token of a living session. */
export function judgeRefresh(
  session: { generation: number; rotated_ms: number },
  generation: number,
  nowMs: number,
): RefreshVerdict {
  // From after a backup that was restored: the session starts over with a sign-in.
  if (generation > session.generation) return 'unknown';
  if (generation === session.generation) return 'rotate';
  const inGrace = generation === session.generation - 1 && nowMs - session.rotated_ms <= refreshGraceMs;
  return inGrace ? 'repeat' : 'stolen';
}
