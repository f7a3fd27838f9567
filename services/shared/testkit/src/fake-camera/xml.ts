/**
 * As much of XML 1.0 with namespaces as ONVIF clients send: elements, attributes, text, CDATA, comments. Written apart from
 * any client library on purpose, so that the fake camera and the client check each other.
 */

export type XmlNode = {
  /** Without its prefix. */
  name: string;
  namespace: string;
  attributes: Readonly<Record<string, string>>;
  children: XmlNode[];
  text: string;
};

type Scope = Readonly<Record<string, string>>;
type Open = { node: XmlNode; scope: Scope };

const markup =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/?)([^\s/>]+)([^>]*?)(\/?)>|([^<]+)/gy;
const attribute = /([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** @returns the root element, or undefined for what is not well formed. */
export function parseXml(source: string): XmlNode | undefined {
  const root: XmlNode = { name: '', namespace: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [{ node: root, scope: {} }];
  let at = 0;
  while (at < source.length) {
    markup.lastIndex = at;
    const found = markup.exec(source);
    const parent = open.at(-1);
    if (!found || !parent) return undefined;
    at = markup.lastIndex;
    const [, cdata, closing, name, attributes = '', empty, text] = found;
    if (cdata !== undefined) parent.node.text += cdata;
    else if (text !== undefined) parent.node.text += unescapeXml(text);
    else if (name !== undefined && closing === '/') {
      if (open.length < 2 || parent.node.name !== localName(name)) return undefined;
      open.pop();
    } else if (name !== undefined) {
      const child = openElement(name, attributes, parent.scope);
      parent.node.children.push(child.node);
      if (empty !== '/') open.push(child);
    }
  }
  return open.length === 1 ? root.children[0] : undefined;
}

/** The first child of that name, at any of the names in turn: `child(node, 'A', 'B')` is the B inside the A. */
export function child(node: XmlNode | undefined, ...names: readonly string[]): XmlNode | undefined {
  return names.reduce<XmlNode | undefined>(
    (parent, name) => parent?.children.find((candidate) => candidate.name === name),
    node,
  );
}

/** The text at that place, trimmed; undefined where there is no such element. */
export function textOf(node: XmlNode | undefined, ...names: readonly string[]): string | undefined {
  return child(node, ...names)?.text.trim();
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function openElement(name: string, source: string, outer: Scope): Open {
  const attributes: Record<string, string> = {};
  const scope: Record<string, string> = { ...outer };
  for (const [, key = '', double, single] of source.matchAll(attribute)) {
    const value = unescapeXml(double ?? single ?? '');
    if (key === 'xmlns') scope[''] = value;
    else if (key.startsWith('xmlns:')) scope[key.slice('xmlns:'.length)] = value;
    else attributes[localName(key)] = value;
  }
  const prefix = name.includes(':') ? name.slice(0, name.indexOf(':')) : '';
  const namespace = scope[prefix] ?? '';
  return { node: { name: localName(name), namespace, attributes, children: [], text: '' }, scope };
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-f]+|#\d+|\w+);/gi, (whole, name: string) => {
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    return entities[name] ?? whole;
  });
}
