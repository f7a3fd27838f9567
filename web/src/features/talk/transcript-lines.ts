/** A talk that is to be filed as lines to be read first: what the signed document says, not what the page believes. Pure. */
import { TranscriptDocument, type TranscriptMessage } from '@siphera/contract';

type TranscriptLine = { at: string; userId: string; text: string; is: 'words' | 'deleted' | 'unreadable' };

const isOf = ({ deleted, unreadable }: TranscriptMessage): TranscriptLine['is'] =>
  deleted === true ? 'deleted' : unreadable === true ? 'unreadable' : 'words';

/**
 * What people wrote in the document, oldest first; who came and went is in it too, and not shown.
 * @throws Error for a document that readers will not know
 */
export function readTranscript(document: string): { complete: boolean; lines: TranscriptLine[] } {
  const { complete, messages } = TranscriptDocument.parse(JSON.parse(document));
  const lines = messages.flatMap((message) =>
    message.event
      ? []
      : [
          {
            at: message.at,
            userId: message.sender,
            text: [message.file?.name, message.text].filter(Boolean).join(': '),
            is: isOf(message),
          },
        ],
  );
  return { complete, lines };
}
