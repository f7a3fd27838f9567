/** Core's event stream as a transport of the realtime link. */
import type { FeedLine } from '@siphera/contract';
import type { StreamEvents, StreamHandle } from '#api/realtime-link.ts';
import { readSse } from '#api/sse.ts';

export type FeedStreamOptions = { url: string; token: string; events: StreamEvents };

export function openFeedStream({ url, token, events }: FeedStreamOptions): StreamHandle {
  const abort = new AbortController();
  readSse({
    url,
    token,
    signal: abort.signal,
    onEvent: (event) => events.line(JSON.parse(event.data) as FeedLine),
  }).then(
    () => events.closed('ended'),
    (error: unknown) => {
      const cause = error instanceof Error ? error.cause : undefined;
      events.closed(typeof cause === 'number' ? cause : 'failed');
    },
  );
  return { close: () => abort.abort() };
}
