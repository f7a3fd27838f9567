/** Content security policies: of the desk's own pages, and for an answer of the box that came without one. */

export const deskPageCsp =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const boxFallbackCsp =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

type Headers = Record<string, string[]>;

/** The box sends its own policy; a proxy in between that lost it does not open the desk. */
export function withPolicy(headers: Headers | undefined): Headers {
  const given = headers ?? {};
  const has = Object.keys(given).some((name) => name.toLowerCase() === 'content-security-policy');
  return has ? given : { ...given, 'Content-Security-Policy': [boxFallbackCsp] };
}
