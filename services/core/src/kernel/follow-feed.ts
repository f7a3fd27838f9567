/** Writes the feed to one HTTP answer without end: NDJSON for services, server-sent events for consoles and API keys. */
import type { FeedEntry, FeedLine } from '@siphera/contract';
import { AppError, toProblem } from '@siphera/runtime';
import type { Request, Response } from 'express';
import type { AppDeps } from '../app-deps.ts';

/** A reader that leaves this much unread is cut; it comes back with its position and loses nothing. */
const unreadBytesMax = 16 * 1024 * 1024;

export type FollowOptions = {
  request: Request;
  response: Response;
  /** Position after which to start; absent means from now on. */
  after: number | undefined;
  format: 'ndjson' | 'sse';
  sees: (entry: FeedEntry) => boolean;
};

/** @returns a function that ends the answer. */
export function followFeed(
  app: Pick<AppDeps, 'hub'>,
  { response, after, format, sees }: FollowOptions,
): () => void {
  // Gone before we came to it: nobody would ever take this follower off the hub again.
  if (response.destroyed) return () => undefined;
  const position = app.hub.position();
  const from = after ?? position;
  if (!Number.isSafeInteger(from) || from < 0 || from > position || app.hub.isGone(from)) {
    const problem = toProblem(
      new AppError('gone', `The feed does not reach back (or forward) to ${String(after)}.`, {
        hint: 'Read a new snapshot and follow from its feed_seq.',
      }),
    );
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
    return () => undefined;
  }
  response.status(200);
  response.setHeader('content-type', format === 'ndjson' ? 'application/x-ndjson' : 'text/event-stream');
  response.setHeader('cache-control', 'no-store');
  // The front door must hand each line on at once.
  response.setHeader('x-accel-buffering', 'no');
  response.flushHeaders();
  let open = true;
  const end = (): void => {
    if (!open) return;
    open = false;
    remove();
    response.end();
  };
  const remove = app.hub.add({
    after: from,
    ready: () => open && !response.writableNeedDrain,
    send: (line) => {
      const entries = line.entries.filter(sees);
      // Nothing of it is for this reader: the next heartbeat tells the position.
      if (line.entries.length > 0 && entries.length === 0) return;
      response.write(encode({ ...line, entries }, format));
      if (response.writableLength > unreadBytesMax) response.destroy();
    },
    gone: end,
  });
  response.on('drain', () => app.hub.wake());
  response.on('close', () => {
    open = false;
    remove();
  });
  return end;
}

function encode(line: FeedLine, format: 'ndjson' | 'sse'): string {
  const text = JSON.stringify(line);
  return format === 'ndjson' ? `${text}\n` : `id: ${line.upto}\ndata: ${text}\n\n`;
}
