/**
 * Server-sent events over fetch, so that the bearer header can be sent (EventSource cannot). What must stay true: a line
 * split anywhere by the network parses the same (WHATWG HTML §9.2.6), and closing stops the request.
 */

export type SseEvent = { event: string; data: string; id: string };

/** A single event larger than this is not ours: a feed line of one 50 ms frame is some hundred KiB at worst. */
const bufferCharsMax = 8_000_000;

/** Parses chunks of an event stream; call it with each chunk in order. */
export function createSseParser(emit: (event: SseEvent) => void): (chunk: string) => void {
  let buffer = '';
  let event = { event: 'message', data: [] as string[], id: '' };
  const dispatch = (): void => {
    if (event.data.length > 0) emit({ event: event.event, data: event.data.join('\n'), id: event.id });
    event = { event: 'message', data: [], id: event.id };
  };
  const readLine = (line: string): void => {
    if (line === '') {
      dispatch();
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') event.data.push(value);
    else if (field === 'event') event.event = value;
    else if (field === 'id') event.id = value;
  };
  return (chunk) => {
    buffer += chunk;
    if (buffer.length > bufferCharsMax) throw new Error('The event stream sent a line without end');
    // A lone CR at the end may be half of CRLF: it waits for the next chunk.
    for (;;) {
      const match = /\r\n|\n|\r(?!$)/.exec(buffer);
      if (!match) return;
      readLine(buffer.slice(0, match.index));
      buffer = buffer.slice(match.index + match[0].length);
    }
  };
}

export type SseRequest = {
  url: string;
  token: string;
  signal: AbortSignal;
  onEvent: (event: SseEvent) => void;
};

/** Reads a stream until it ends or the signal aborts. Throws an `Error` whose `cause` is the status when refused. */
export async function readSse({ url, token, signal, onEvent }: SseRequest): Promise<void> {
  const response = await fetch(url, {
    headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}` },
    signal,
    cache: 'no-store',
  });
  if (!response.ok || !response.body) {
    throw new Error(`The live stream answered ${String(response.status)}`, { cause: response.status });
  }
  const parse = createSseParser(onEvent);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parse(value);
  }
}
