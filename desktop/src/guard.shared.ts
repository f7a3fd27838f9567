/** What pages may do: the box's own origin is shown, everything else is turned away. */

/** Scheme of the desk's own pages (set-up, unreachable). */
export const deskScheme = 'siphera-desk';
export const deskOrigin = `${deskScheme}://app`;

/** True when a window of the box may show this address. */
export function mayNavigate(boxOrigin: string | undefined, url: string): boolean {
  if (!URL.canParse(url)) return false;
  return isDeskPage(url) || (boxOrigin !== undefined && new URL(url).origin === boxOrigin);
}

/** True when a page may load this. Its own blobs and data are its own; the socket is the box's. */
export function mayRequest(boxOrigin: string | undefined, url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, origin } = new URL(url);
  if (protocol === 'data:') return true;
  if (protocol === 'blob:') return mayNavigate(boxOrigin, origin);
  if (protocol === 'wss:') return mayNavigate(boxOrigin, url.replace(/^wss:/i, 'https:'));
  return mayNavigate(boxOrigin, url);
}

/** Microphone and camera of the guard, for the box's pages alone: calls need them. Everything else is denied. */
export function mayUse(boxOrigin: string | undefined, permission: string, requestingUrl: string): boolean {
  if (permission !== 'media' || boxOrigin === undefined || !URL.canParse(requestingUrl)) return false;
  return new URL(requestingUrl).origin === boxOrigin;
}

/** Non-special schemes have no origin in the URL standard, so scheme and host are compared. */
export const isDeskPage = (url: string): boolean => url === deskOrigin || url.startsWith(`${deskOrigin}/`);
