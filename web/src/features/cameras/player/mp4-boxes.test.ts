import { expect, it } from 'vitest';
import { BoxReader, boxesIn } from '#features/cameras/player/mp4-boxes.ts';
import { box, bytesOf, fragment, initSegment, notice, prft } from '#features/cameras/player/testing/mp4.ts';

it('hands on a start and fragments only when they are whole, whatever the pieces they arrive in', () => {
  const stream = bytesOf(initSegment(), fragment({ decodeTime: 0 }), fragment({ decodeTime: 500 }));
  for (const size of [1, 7, 64, stream.length]) {
    const reader = new BoxReader();
    const kinds: string[] = [];
    let bytes = 0;
    for (let at = 0; at < stream.length; at += size)
      for (const piece of reader.push(stream.subarray(at, at + size))) {
        kinds.push(piece.kind);
        if (piece.kind !== 'notice') bytes += piece.bytes.length;
      }
    expect(kinds).toEqual(['init', 'media', 'media']);
    expect(bytes).toBe(stream.length);
  }
});

it('joins the type of the file to its start and the head of a fragment to its data', () => {
  const [start, media] = new BoxReader().push(bytesOf(initSegment(), fragment({ decodeTime: 0 })));
  expect(start?.kind === 'init' && boxesIn(start.bytes).map((one) => one.type)).toEqual(['ftyp', 'moov']);
  expect(media?.kind === 'media' && boxesIn(media.bytes).map((one) => one.type)).toEqual(['moof', 'mdat']);
});

it('reads the wall time that stands before a fragment', () => {
  const at = Date.UTC(2026, 10, 28, 12, 4, 5, 250);
  const [first, second] = new BoxReader().push(
    bytesOf(prft(at), fragment({ decodeTime: 0 }), fragment({ decodeTime: 500 })),
  );
  expect(first?.kind === 'media' && Math.round(first.wallMs ?? 0)).toBe(at);
  expect(second?.kind === 'media' && second.wallMs).toBeUndefined();
});

it('reads what the box says and skips boxes it does not know', () => {
  const pieces = new BoxReader().push(
    bytesOf(
      box('sidx', new Uint8Array(12)),
      notice({ kind: 'lost', reason: 'No answer' }),
      box('uuid', new Uint8Array(20)),
    ),
  );
  expect(pieces).toEqual([{ kind: 'notice', notice: { kind: 'lost', reason: 'No answer' } }]);
});

it('refuses what is no MP4 instead of waiting for its end', () => {
  expect(() => new BoxReader().push(new TextEncoder().encode('<html>Bad gateway</html>'))).toThrow(
    'not a fragmented MP4',
  );
});
