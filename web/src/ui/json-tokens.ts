/** Cuts JSON text into parts that a page colours, without making HTML of it. */
export type JsonToken = { kind: 'key' | 'string' | 'number' | 'word' | 'plain'; text: string };

const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

export function jsonTokens(text: string): JsonToken[] {
  const tokens: JsonToken[] = [];
  let done = 0;
  const plain = (until: number): void => {
    if (until > done) tokens.push({ kind: 'plain', text: text.slice(done, until) });
  };
  for (const match of text.matchAll(pattern)) {
    plain(match.index);
    const [whole, quoted, colon, number] = match;
    if (quoted !== undefined) {
      tokens.push({ kind: colon === undefined ? 'string' : 'key', text: quoted });
      if (colon !== undefined) tokens.push({ kind: 'plain', text: colon });
    } else tokens.push({ kind: number === undefined ? 'word' : 'number', text: whole });
    done = match.index + whole.length;
  }
  plain(text.length);
  return tokens;
}
