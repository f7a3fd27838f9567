/** The two cookies of a console, both out of reach of scripts and sent to the sign-in addresses only. */
import { apiPrefix } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import type { Request, Response } from 'express';

const cookies = { refresh: 'siphera_refresh', device: 'siphera_device' } as const;
type CookieName = keyof typeof cookies;
const path = `${apiPrefix}/auth`;
const csrfHeader = 'x-siphera-console';

export function readCookie(request: Request, name: CookieName): string | undefined {
  const wanted = `${cookies[name]}=`;
  for (const part of (request.get('cookie') ?? '').split(';')) {
    const text = part.trim();
    if (text.startsWith(wanted)) return text.slice(wanted.length);
  }
  return undefined;
}

export function setCookie(response: Response, name: CookieName, value: string, lifeMs: number): void {
  response.cookie(cookies[name], value, {
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
    path,
    maxAge: lifeMs,
  });
}

export function clearCookie(response: Response, name: CookieName): void {
  response.clearCookie(cookies[name], { httpOnly: true, secure: true, sameSite: 'strict', path });
}

/**
 * A form or image of another site cannot set a header of its own; the cookie alone proves nothing.
 * @throws AppError `csrf_rejected`
 */
export function requireConsole(request: Request): void {
  if (request.get(csrfHeader) !== '1')
    throw new AppError('csrf_rejected', 'The request did not come from the console.', {
      hint: 'Send the header X-Siphera-Console: 1.',
    });
}
