import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSseParser, type SseEvent } from './sse.ts';

const parse = (chunks: readonly string[]): SseEvent[] => {
  const events: SseEvent[] = [];
  const feed = createSseParser((event) => events.push(event));
  for (const chunk of chunks) feed(chunk);
  return events;
};

describe('the event stream parser', () => {
  it('reads data, event and id, and skips comments', () => {
    expect(parse([': hello\n\nid: 7\nevent: feed\ndata: {"a":1}\n\n'])).toEqual([
      { event: 'feed', data: '{"a":1}', id: '7' },
    ]);
  });

  it('joins several data lines and keeps the last id', () => {
    expect(parse(['id: 7\ndata: a\ndata: b\n\ndata: c\n\n'])).toEqual([
      { event: 'message', data: 'a\nb', id: '7' },
      { event: 'message', data: 'c', id: '7' },
    ]);
  });

  it('says nothing for an event without data', () => {
    expect(parse(['id: 7\n\n'])).toEqual([]);
  });

  it('parses the same however the network cuts it, with every kind of line end', () => {
    const text = 'id: 1\r\ndata: one\r\n\r\ndata: two\rdata: three\r\rdata: four\n\nid: 5\n';
    const whole = parse([text, '\n']);
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((end, index) => text.slice(at[index], end));
        expect(parse([...chunks, '\n'])).toEqual(whole);
      }),
    );
    expect(whole.map((event) => event.data)).toEqual(['one', 'two\nthree', 'four']);
  });

  it('refuses a line without end before it fills the memory', () => {
    expect(() => parse(['data: ' + 'x'.repeat(8_000_001)])).toThrow('without end');
  });
});
