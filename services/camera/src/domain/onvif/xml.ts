/**
 * Reads XML that a camera sent. A camera is hostile: no DTD, so no entities of its own and nothing fetched (XXE, "billion
 * laughs"); depth, elements and length are bounded. Namespaces are dropped: cameras disagree on prefixes, not on names.
 */
export type XmlNode = {
  /** Local name. */
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: readonly XmlNode[];
  /** Text directly inside, trimmed. */
  text: string;
};

/** GetProfiles of a camera with many profiles is some 60 KB; four times that of the largest seen. */
export const xmlBytesMax = 1_000_000;
const elementsMax = 20_000;
const depthMax = 64;
const attributesMax = 64;

type Open = { name: string; attributes: Record<string, string>; children: XmlNode[]; text: string };

/** @returns the root; undefined when it is not well-formed, or not what a camera may send. */
export function parseXml(source: string): XmlNode | undefined {
  if (source.length > xmlBytesMax) return undefined;
  const stack: Open[] = [];
  let root: XmlNode | undefined;
  let elements = 0;
  let at = 0;
  while (at < source.length) {
    const open = source.indexOf('<', at);
    const text = source.slice(at, open < 0 ? undefined : open);
    const parent = stack.at(-1);
    if (parent) parent.text += decode(text);
    else if (text.trim() !== '' && text.trim() !== '\uFEFF') return undefined;
    if (open < 0) break;
    const token = readToken(source, open);
    if (!token) return undefined;
    at = token.end;
    if (token.kind === 'text' && parent) parent.text += token.text;
    if (token.kind === 'close') {
      const closed = stack.pop();
      if (closed?.name !== token.name) return undefined;
      const node = { ...closed, text: closed.text.trim() };
      const above = stack.at(-1);
      if (above) above.children.push(node);
      else root = node;
    }
    if (token.kind === 'open') {
      elements += 1;
      if (root || elements > elementsMax || stack.length >= depthMax) return undefined;
      const node: Open = { name: token.name, attributes: token.attributes, children: [], text: '' };
      if (!token.empty) stack.push(node);
      else if (parent) parent.children.push(node);
      else root = node;
    }
  }
  return stack.length === 0 ? root : undefined;
}

type Token =
  | { kind: 'open'; name: string; attributes: Record<string, string>; empty: boolean; end: number }
  | { kind: 'close'; name: string; end: number }
  | { kind: 'text'; text: string; end: number }
  | { kind: 'skip'; end: number };

const after = (source: string, mark: string, from: number): number => {
  const found = source.indexOf(mark, from);
  return found < 0 ? -1 : found + mark.length;
};

function readToken(source: string, open: number): Token | undefined {
  if (source.startsWith('<!--', open)) return skip(after(source, '-->', open + 4));
  if (source.startsWith('<?', open)) return skip(after(source, '?>', open + 2));
  if (source.startsWith('<![CDATA[', open)) {
    const end = after(source, ']]>', open);
    return end < 0 ? undefined : { kind: 'text', text: source.slice(open + 9, end - 3), end };
  }
  // <!DOCTYPE and anything else of a DTD.
  if (source.startsWith('<!', open)) return undefined;
  const close = /^<\/([\w:.-]{1,200})\s*>/.exec(source.slice(open, open + 260));
  if (close?.[1] !== undefined) return { kind: 'close', name: local(close[1]), end: open + close[0].length };
  return readOpen(source, open);
}

const skip = (end: number): Token | undefined => (end < 0 ? undefined : { kind: 'skip', end });

function readOpen(source: string, open: number): Token | undefined {
  const name = /^<([A-Za-z_][\w:.-]{0,199})/.exec(source.slice(open, open + 210))?.[1];
  if (name === undefined) return undefined;
  const attributes: Record<string, string> = {};
  const attribute = /\s+([A-Za-z_][\w:.-]*)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/y;
  let at = open + 1 + name.length;
  for (let count = 0; count <= attributesMax; count += 1) {
    attribute.lastIndex = at;
    const found = attribute.exec(source);
    if (!found) {
      const end = /\s*(\/?)>/y;
      end.lastIndex = at;
      const tail = end.exec(source);
      if (!tail) return undefined;
      return {
        kind: 'open',
        name: local(name),
        attributes,
        empty: tail[1] === '/',
        end: at + tail[0].length,
      };
    }
    const key = local(found[1] ?? '');
    if (key !== '__proto__') attributes[key] = decode(found[2] ?? found[3] ?? '');
    at = attribute.lastIndex;
  }
  return undefined;
}

const local = (name: string): string => name.slice(name.lastIndexOf(':') + 1);

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decode(text: string): string {
  if (!text.includes('&')) return text;
  return text.replaceAll(/&(#x[0-9a-fA-F]{1,6}|#\d{1,7}|\w{1,8});/g, (all, body: string) => {
    if (!body.startsWith('#')) return named[body] ?? all;
    const code = body.startsWith('#x') ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1));
    const valid = code > 0 && code <= 0x10_ff_ff && !(code >= 0xd8_00 && code <= 0xdf_ff);
    return valid ? String.fromCodePoint(code) : '';
  });
}

/** The first element down a path of local names. */
export function find(node: XmlNode | undefined, ...path: string[]): XmlNode | undefined {
  return path.reduce<XmlNode | undefined>(
    (at, name) => at?.children.find((child) => child.name === name),
    node,
  );
}

export const findAll = (node: XmlNode | undefined, name: string): readonly XmlNode[] =>
  node?.children.filter((child) => child.name === name) ?? [];

/** Text at a path, cut; undefined when there is none. */
export function textAt(node: XmlNode | undefined, ...path: string[]): string | undefined {
  const text = find(node, ...path)?.text.slice(0, 1_000);
  return text === '' ? undefined : text;
}

export function numberAt(node: XmlNode | undefined, ...path: string[]): number | undefined {
  const text = textAt(node, ...path);
  const value = text === undefined ? NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

const escapes: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text as element content or attribute value; control characters, which XML 1.0 cannot carry, are dropped. */
export const escapeXml = (text: string): string =>
  text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '')
    .replaceAll(/[<>&"']/g, (char) => escapes[char] ?? '');
