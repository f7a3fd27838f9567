/** What stands between `[` and CR (§5.5.1.7 to §5.5.1.9): data, extended data blocks, timestamp. Total: any text gives a content. */
import { readTimestamp } from './timestamp.ts';

export type Content = {
  data: string;
  /** Extended data by its letter (§5.5.1.8), e.g. V for a verification link, H for the time of occurrence. */
  extended: { letter: string; value: string }[];
  /** As sent; undefined where there is none. */
  stamp: string | undefined;
  stampMs: number | undefined;
  /** False when the brackets do not close: the data is then all there is. */
  wellFormed: boolean;
};

/** Bound on extended blocks looked at; the standard names about twenty letters. */
const extendedMax = 32;
const tail = /^((?:\[[^[\]]*\])*)(?:_([0-9:,\- ]{1,24}))?[\s\0]*$/;

export function readContent(text: string): Content {
  const close = text.indexOf(']');
  const match = close < 0 ? null : tail.exec(text.slice(close + 1));
  if (!match) {
    const data = close < 0 ? text : text.slice(0, close);
    return { data, extended: [], stamp: undefined, stampMs: undefined, wellFormed: false };
  }
  const extended = [...(match[1] ?? '').matchAll(/\[([^[\]])([^[\]]*)\]/g)]
    .slice(0, extendedMax)
    .map(([, letter = '', value = '']) => ({ letter, value }));
  const stamp = match[2]?.trim();
  return {
    data: text.slice(0, close),
    extended,
    stamp,
    stampMs: stamp === undefined ? undefined : readTimestamp(stamp),
    wellFormed: true,
  };
}

/**
 * The content of a decrypted text, behind its pad; undefined when it was not decrypted with the right key.
 * A wrong key gives random bytes: the chance that they are printable and close their brackets is nil.
 */
export function readDecrypted(text: string): Content | undefined {
  const padEnd = text.search(/[|\]]/);
  if (padEnd < 0) return undefined;
  const inner = text[padEnd] === '|' ? text.slice(padEnd + 1) : text.slice(padEnd);
  if (!isText(inner)) return undefined;
  const content = readContent(inner);
  return content.wellFormed ? content : undefined;
}

/** Printable in ASCII or Windows-1252; tab and line ends count as text. */
const isText = (latin1: string): boolean => !/[^\P{Cc}\t\n\r\u0080-\u009f]/u.test(latin1);

export const extendedValue = (content: Content, letter: string): string | undefined =>
  content.extended.find((block) => block.letter === letter)?.value;

/** Text of a panel for people: UTF-8 where it is, else Windows-1252 (§5.5.1.8), one line, without control characters. */
export function readableText(latin1: string, charsMax: number): string {
  const bytes = Buffer.from(latin1, 'latin1');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    text = new TextDecoder('windows-1252').decode(bytes);
  }
  return Array.from(text.replaceAll(/\p{Cc}+/gu, ' ').trim())
    .slice(0, charsMax)
    .join('');
}
