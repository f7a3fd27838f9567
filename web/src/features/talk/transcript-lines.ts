/** A talk that is to be filed as lines to be read first: what the signed document says, not what the page believes. Pure. */

export type TranscriptLine = { at: number | undefined; userId: string; text: string };

const asText = (value: unknown): string => (typeof value === 'string' ? value : '');
function asTime(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : value;
  return typeof at === 'number' && Number.isFinite(at) ? at : undefined;
}

/** Lines of the document's messages, oldest first; empty when it has none. */
export function transcriptLines(document: string): TranscriptLine[] {
  const { messages } = JSON.parse(document) as { messages?: unknown };
  if (!Array.isArray(messages)) return [];
  return messages.map((row: unknown) => {
    const fields = (typeof row === 'object' && row !== null ? row : {}) as Record<string, unknown>;
    const content = (
      typeof fields['content'] === 'object' && fields['content'] !== null ? fields['content'] : fields
    ) as Record<string, unknown>;
    return {
      at: asTime(fields['at']),
      userId: asText(fields['from'] ?? fields['sender_id'] ?? fields['user_id']),
      text: asText(content['body'] ?? content['text'] ?? content['name']),
    };
  });
}
