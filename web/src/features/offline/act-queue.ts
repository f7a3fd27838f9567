/**
 * Brings what was done offline to the box, in its order, by pages and by the service worker alike. What must stay true: an act is
 * forgotten only when the box has answered for it; one that came too late is noted on the incident with its time, so that nothing a guard did is lost.
 */
import { waitingActs, type ActOutcome, type OfflineAct, type OfflineDb } from './offline-db.ts';

export type Answer = { status: number; body: { title?: string; detail?: string } };
/** Status 0: the box was not reached. Renews the token by itself; 401 then means that the session is over. */
export type Request = (path: string, body: unknown, idempotencyKey: string) => Promise<Answer>;

/** Held while flushing, by whoever does: two at once would do the acts in two orders. */
export const flushLock = 'siphera-offline-flush';

export type FlushEnd = 'empty' | 'away' | 'signed_out';

/** @returns why it stopped. What was sent is told by `outcomes`. */
export async function flushActs(db: OfflineDb, userId: string, request: Request): Promise<FlushEnd> {
  for (const { key, act } of await waitingActs(db)) {
    // Of somebody else at this browser: not ours to do. It waits for him.
    if (act.userId !== userId) continue;
    const answer = await request(pathOf(act), act.body, act.id);
    const end = endOf(answer);
    if (end !== undefined) return end;
    const outcome = await settle(act, answer, request);
    if (typeof outcome === 'string') return outcome;
    const transaction = db.transaction(['acts', 'outcomes'], 'readwrite', { durability: 'strict' });
    await Promise.all([
      transaction.objectStore('acts').delete(key),
      transaction.objectStore('outcomes').put(outcome),
      transaction.done,
    ]);
  }
  return 'empty';
}

/** Not answered for: it stays. */
function endOf({ status }: Answer): FlushEnd | undefined {
  if (status === 401) return 'signed_out';
  return status === 0 || status === 429 || status >= 500 ? 'away' : undefined;
}

async function settle(act: OfflineAct, answer: Answer, request: Request): Promise<ActOutcome | FlushEnd> {
  const told = (result: ActOutcome['result'], detail: string): ActOutcome => ({
    id: act.id,
    incidentId: act.incidentId,
    number: act.number,
    kind: act.kind,
    result,
    detail,
  });
  if (answer.status < 400) return told('done', '');
  const detail = answer.body.detail ?? answer.body.title ?? String(answer.status);
  // Somebody was first, or it is over: what was done here stays on record with its time.
  const isLate = answer.status === 409 || answer.status === 422;
  if (!isLate || act.kind === 'comment') return told('refused', detail);
  const note = await request(
    `/incidents/${act.incidentId}/comments`,
    { text: noteOf(act) },
    `${act.id}-note`,
  );
  const end = endOf(note);
  if (end !== undefined) return end;
  return told(note.status < 400 ? 'noted' : 'refused', detail);
}

const paths = { acknowledge: 'acknowledge', resolve: 'resolve', comment: 'comments' } as const;
const pathOf = (act: OfflineAct): string => `/incidents/${act.incidentId}/${paths[act.kind]}`;

/** In English, as all of the timeline is. */
function noteOf(act: OfflineAct): string {
  const when = new Date(act.at).toISOString();
  const { code, note } = act.body as { code?: unknown; note?: unknown };
  const words = act.kind === 'resolve' ? `resolved as ${String(code)}` : 'acknowledged';
  const rest = typeof note === 'string' && note !== '' ? `: ${note}` : '.';
  return `Done without connection at ${when}, arrived late: ${words}${rest}`.slice(0, 4_000);
}
