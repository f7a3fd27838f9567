/** The box's address as an admin types it. HTTPS alone is accepted; a path, a user name or another scheme is a mistake. */

/** Origin of the box, e.g. `https://box.example`; undefined when the text is no such address. */
export function parseBoxAddress(text: string): string | undefined {
  const trimmed = text.trim();
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
  if (trimmed === '' || /\s/.test(trimmed) || !URL.canParse(withScheme)) return undefined;
  const url = new URL(withScheme);
  const isBare =
    url.username === '' &&
    url.password === '' &&
    url.pathname === '/' &&
    url.search === '' &&
    url.hash === '';
  return url.protocol === 'https:' && url.hostname !== '' && isBare ? url.origin : undefined;
}

/** Host of an origin without the brackets of an IPv6 address, as certificates and Chromium name it. */
export const hostOf = (origin: string): string => new URL(origin).hostname.replace(/^\[|\]$/g, '');
