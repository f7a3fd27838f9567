import { transcriptFormat, type TranscriptDocument, type TranscriptMessage } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { readTranscript } from './transcript-lines.ts';

const sender = '0197a3de-0000-7000-8000-000000000001';
const message = (more: Partial<TranscriptMessage>): TranscriptMessage => ({
  id: '0197a3de-0000-7000-8000-000000000002',
  seq: 1,
  sender,
  device: 'ABCDEFGHIJ',
  at: '2026-11-22T12:00:00.000Z',
  acks: [],
  ...more,
});
const document = (messages: TranscriptMessage[]): TranscriptDocument => ({
  format: transcriptFormat,
  room_id: sender,
  incident_id: sender,
  filed_by: sender,
  device_id: 'ABCDEFGHIJ',
  filed_at: '2026-11-22T12:02:00.000Z',
  complete: false,
  first_seq: 1,
  last_seq: 1,
  count: messages.length,
  members: [sender],
  messages,
});

describe('what will be filed', () => {
  it('is read out of the signed document, with files by their name', () => {
    const file = { id: sender, name: 'gate.jpg', media_type: 'image/jpeg', bytes: 3, sha256: 'x' };
    const { lines, complete } = readTranscript(
      JSON.stringify(
        document([
          message({ text: 'Door is shut' }),
          message({ event: { what: 'joined', user_ids: [sender] } }),
          message({ file, text: 'see' }),
          message({ deleted: true }),
          message({ unreadable: true }),
        ]),
      ),
    );
    expect(complete).toBe(false);
    expect(lines.map(({ text, is }) => [text, is])).toEqual([
      ['Door is shut', 'words'],
      ['gate.jpg: see', 'words'],
      ['', 'deleted'],
      ['', 'unreadable'],
    ]);
    expect(lines[0]).toMatchObject({ at: '2026-11-22T12:00:00.000Z', userId: sender });
  });

  it('is not shown of a document that nobody could read later', () => {
    const { filed_by: _, ...unsaid } = document([]);
    for (const text of ['{}', '[]', 'null', JSON.stringify({ ...unsaid, by_user: sender })])
      expect(() => readTranscript(text)).toThrow();
  });
});
