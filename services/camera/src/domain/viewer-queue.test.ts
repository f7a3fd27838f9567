import { describe, expect, it } from 'vitest';
import type { Fragment, InitSegment } from './media.ts';
import { ViewerQueue } from './viewer-queue.ts';

const init = { mime: 'video/mp4' } as InitSegment;
const fragment = (bytes: number, key = false): Fragment => ({
  bytes: Buffer.alloc(bytes),
  key,
  startMs: 0,
  durationMs: 500,
  decodeTime: 0,
});
const kinds = (queue: ViewerQueue): string[] => {
  const taken: string[] = [];
  for (let item = queue.take(); item; item = queue.take())
    taken.push(item.kind === 'notice' ? item.notice.kind : item.kind);
  return taken;
};

describe('the queue of a viewer', () => {
  it('begins with a key frame, whatever came before', () => {
    const queue = new ViewerQueue({ bytesMax: 100, dropsMax: 2 });
    queue.init(init);
    expect(queue.fragment(fragment(10))).toBe('dropped');
    expect(queue.fragment(fragment(10, true))).toBe('kept');
    expect(queue.fragment(fragment(10))).toBe('kept');
    expect(kinds(queue)).toEqual(['init', 'fragment', 'fragment']);
    expect(queue.bytes).toBe(0);
  });

  it('leaves out whole groups of pictures when it is full, and says so once', () => {
    const queue = new ViewerQueue({ bytesMax: 100, dropsMax: 2 });
    queue.init(init);
    queue.fragment(fragment(60, true));
    expect(queue.fragment(fragment(60))).toBe('dropped');
    expect(queue.fragment(fragment(1))).toBe('dropped');
    expect(queue.fragment(fragment(60, true))).toBe('kept');
    expect(queue.bytes).toBe(60);
    expect(kinds(queue)).toEqual(['init', 'skipped', 'fragment']);
  });

  it('takes a fragment that is larger than the queue, and gives up a viewer that never catches up', () => {
    const queue = new ViewerQueue({ bytesMax: 100, dropsMax: 2 });
    expect(queue.fragment(fragment(500, true))).toBe('kept');
    expect(queue.fragment(fragment(500, true))).toBe('kept');
    expect(queue.fragment(fragment(500, true))).toBe('kept');
    expect(queue.fragment(fragment(500, true))).toBe('given_up');
    expect(queue.bytes).toBe(500);
  });

  it('forgives drops once it was empty', () => {
    const queue = new ViewerQueue({ bytesMax: 100, dropsMax: 1 });
    for (let round = 0; round < 5; round += 1) {
      queue.fragment(fragment(80, true));
      expect(queue.fragment(fragment(80, true))).toBe('kept');
      kinds(queue);
    }
  });

  it('drops what waits of a stream that began anew, but not what was said', () => {
    const queue = new ViewerQueue({ bytesMax: 100, dropsMax: 1 });
    queue.init(init);
    queue.fragment(fragment(10, true));
    queue.notice({ kind: 'lost', reason: 'x' });
    queue.init(init);
    expect(kinds(queue)).toEqual(['lost', 'init']);
  });
});
