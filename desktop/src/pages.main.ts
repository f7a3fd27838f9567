/** Serves the desk's own pages under their own scheme. A fixed list: no path of a request reaches the disk. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deskPageCsp } from './csp.shared.ts';
import { isDeskPage } from './guard.shared.ts';

const files: Readonly<Record<string, string>> = {
  '/setup.html': 'text/html; charset=utf-8',
  '/unreachable.html': 'text/html; charset=utf-8',
  '/icon.png': 'image/png',
  '/page.css': 'text/css; charset=utf-8',
  '/setup.js': 'text/javascript; charset=utf-8',
  '/unreachable.js': 'text/javascript; charset=utf-8',
};

/** @param directory where the bundle put the pages. */
export function servePages(directory: string): (request: { url: string }) => Promise<Response> {
  return async ({ url }) => {
    const { pathname } = new URL(url);
    const type = isDeskPage(url) ? files[pathname] : undefined;
    if (type === undefined) return new Response('not found', { status: 404 });
    const body = await readFile(join(directory, pathname.slice(1)));
    return new Response(new Uint8Array(body), {
      headers: {
        'content-type': type,
        'content-security-policy': deskPageCsp,
        'x-content-type-options': 'nosniff',
      },
    });
  };
}
