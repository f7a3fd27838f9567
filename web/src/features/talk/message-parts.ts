/**
 * Splits the text of a message into what is drawn: words, mentions, links. What must stay true: the parts are data, drawn
 * by Vue as text; only `https:` addresses become links, and an address never gets credentials that hide where it leads.
 */

export type Part =
  | { kind: 'text'; text: string }
  | { kind: 'link'; text: string; href: string }
  | { kind: 'mention'; text: string; userId: string };

/** Up to white space or what cannot be in an address; what merely ends the sentence is given back below. */
const address = /https:\/\/[^\s<>"'`\\{}|^]+/giu;
const sentenceEnd = /[.,;:!?…'"»”]+$/u;
/** A message has no more links than this; the rest stays text. A bound for drawing, not a rule. */
const linksMax = 50;

/** The address as the browser will go to it, or undefined when it must stay text. */
function safeHref(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
  return url.href;
}

/** "(see https://x.org/a)" ends before the bracket; "https://x.org/a_(b)" does not. */
function withoutTail(text: string): string {
  let kept = text.replace(sentenceEnd, '');
  while (kept.endsWith(')') && kept.split(')').length > kept.split('(').length) {
    kept = kept.slice(0, -1).replace(sentenceEnd, '');
  }
  return kept;
}

function splitLinks(text: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  let links = 0;
  for (const found of text.matchAll(address)) {
    const shown = withoutTail(found[0]);
    const href = safeHref(shown);
    if (href === undefined || links >= linksMax) continue;
    if (found.index > from) parts.push({ kind: 'text', text: text.slice(from, found.index) });
    parts.push({ kind: 'link', text: shown, href });
    from = found.index + shown.length;
    links += 1;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
  return parts;
}

/** Where a mention of one of `names` (`@Ada Lind`) begins at or after `from`: the earliest, and of those the longest. */
function nextMention(
  text: string,
  from: number,
  names: readonly (readonly [string, string])[],
): { at: number; name: string; userId: string } | undefined {
  let best: { at: number; name: string; userId: string } | undefined;
  for (const [userId, name] of names) {
    if (name === '') continue;
    const at = text.indexOf(`@${name}`, from);
    if (at < 0) continue;
    if (!best || at < best.at || (at === best.at && name.length > best.name.length))
      best = { at, name, userId };
  }
  return best;
}

/**
 * Parts of a message body in order; their texts together are the body.
 * @param mentioned names by user id, of those whom the sender named (`mentions` of the message) and nobody else
 */
export function messageParts(body: string, mentioned: ReadonlyMap<string, string> = new Map()): Part[] {
  const names = [...mentioned];
  const parts: Part[] = [];
  let from = 0;
  for (let found = nextMention(body, from, names); found; found = nextMention(body, from, names)) {
    parts.push(...splitLinks(body.slice(from, found.at)));
    parts.push({ kind: 'mention', text: `@${found.name}`, userId: found.userId });
    from = found.at + found.name.length + 1;
  }
  parts.push(...splitLinks(body.slice(from)));
  return parts;
}
