/** Handlers of the event routes, and the live stream over SSE. */
import { isGranted, type AccessClaims, type FeedEntry, type Revocation } from '@siphera/contract';
import { AppError, fromRfc3339, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import { noteLook } from '../../audit/http/note-look.ts';
import type { eventRoutes } from '../../http-routes.ts';
import { followFeed } from '../../kernel/follow-feed.ts';

/** Open streams of one user or key: a page that leaks them must not use up the box. */
const streamsPerSubjectMax = 20;

export function eventHandlers(app: AppDeps): Handlers<eventRoutes> {
  const { box } = app;
  const streams = new Map<string, number>();
  return {
    appendEvents: (call) =>
      box.write('appendEvents', contextOf(call), {
        events: Array.isArray(call.body) ? call.body : [call.body],
      }),
    listEvents: (call) => box.read('listEvents', contextOf(call), call.query),
    getEvent: (call) => box.read('getEvent', contextOf(call), call.params),
    listEventTypes: (call) => box.read('listEventTypes', contextOf(call), {}),
    listDeadLetters: async (call) => {
      const page = await box.read('listDeadLetters', contextOf(call), call.query);
      // A refused payload may hold anything a device sent, badge numbers too.
      await noteLook(app, contextOf(call), 'dead_letters.viewed', 'dead_letters');
      return page;
    },
    deleteDeadLetter: (call) => box.write('deleteDeadLetter', contextOf(call), call.params),
    replayDeadLetter: (call) => box.write('replayDeadLetter', contextOf(call), call.params),
    getRetention: (call) => box.read('getRetention', contextOf(call), { data_dir: app.config.DATA_DIR }),
    putRetention: async (call) => {
      await box.write('putRetention', contextOf(call), call.body);
      return box.read('getRetention', contextOf(call), { data_dir: app.config.DATA_DIR });
    },
    stream: (call) => {
      const { claims } = call.caller;
      // A client that is gone already would never be heard closing.
      if (call.response.destroyed) return Promise.resolve(undefined);
      const open = streams.get(claims.sub) ?? 0;
      if (open >= streamsPerSubjectMax)
        throw new AppError('rate_limited', `At most ${streamsPerSubjectMax} streams at a time.`);
      streams.set(claims.sub, open + 1);
      const resume = call.request.get('last-event-id');
      const after =
        call.query.after ?? (resume !== undefined && /^\d{1,15}$/.test(resume) ? Number(resume) : undefined);
      let revoked = false;
      const end = followFeed(app, {
        request: call.request,
        response: call.response,
        after,
        format: 'sse',
        sees: (entry) => {
          if (entry.kind === 'revocation' && hits(entry, claims)) {
            revoked = true;
            setImmediate(end);
          }
          return !revoked && isGranted(claims.grants, entry.audience, entry.scopes);
        },
      });
      // The token's end is the stream's end: the client comes back with a new one and its position.
      const timer = setTimeout(end, Math.max(0, claims.exp * 1_000 - app.clock.now()));
      call.response.on('close', () => {
        clearTimeout(timer);
        const left = (streams.get(claims.sub) ?? 1) - 1;
        if (left > 0) streams.set(claims.sub, left);
        else streams.delete(claims.sub);
      });
      return Promise.resolve(undefined);
    },
  };
}

/** A revocation of roles hits the tokens from before it: a stream that comes back with a new one must not end on it again. */
function hits(entry: FeedEntry, claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>): boolean {
  const { sid, sub, issued_before } = entry.data as Revocation;
  if (sid !== claims.sid && sub !== claims.sub) return false;
  return issued_before === undefined || claims.iat * 1_000 < (fromRfc3339(issued_before) ?? Infinity);
}
