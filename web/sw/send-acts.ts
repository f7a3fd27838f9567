/** Sends what was done offline when no page is there to do it (Background Sync). */
import { flushActs, flushLock, type Answer, type Request } from '../src/features/offline/act-queue.ts';
import { openOfflineDb, waitingActs } from '../src/features/offline/offline-db.ts';

/** The lock of the pages: each refresh rotates the cookie, and two at once would end the session. */
const refreshLock = 'siphera_refresh';

/** @throws Error while the box is away: the browser then tries again later. */
export async function sendActs(worker: ServiceWorkerGlobalScope): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window' });
  const db = await openOfflineDb();
  try {
    const [first] = await waitingActs(db);
    if (!first) return;
    // A page that is open has a token already.
    if (pages.length > 0) return;
    const end = await navigator.locks.request(flushLock, async () => {
      const session = await navigator.locks.request(refreshLock, signIn);
      if (!session) return 'away' as const;
      return flushActs(db, session.userId, requestWith(session.token));
    });
    if (end === 'away') throw new Error('The box is away; the acts stay.');
    for (const page of await worker.clients.matchAll({ type: 'window' })) page.postMessage('acts_sent');
  } finally {
    db.close();
  }
}

type Session = { token: string; userId: string };

async function signIn(): Promise<Session | undefined> {
  const answer = await send('/auth/refresh', undefined, {});
  const { access_token: token, me } = answer.body as {
    access_token?: string;
    me?: { user?: { id?: string } };
  };
  const userId = me?.user?.id;
  return token === undefined || userId === undefined ? undefined : { token, userId };
}

const requestWith =
  (token: string): Request =>
  (path, body, idempotencyKey) =>
    send(path, body, { Authorization: `Bearer ${token}`, 'Idempotency-Key': idempotencyKey });

async function send(path: string, body: unknown, headers: Record<string, string>): Promise<Answer> {
  try {
    const response = await fetch(`/api/v1${path}`, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'Content-Type': 'application/json', 'X-Siphera-Console': '1', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json().catch(() => ({}))) as Answer['body'] };
  } catch {
    return { status: 0, body: {} };
  }
}
