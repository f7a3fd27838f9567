/** Brings a fresh box to its first admin, the way a person would: with the one-time setup code. */
import { existsSync, readFileSync } from 'node:fs';
import { internalPaths } from '@siphera/contract';
import { InternalClient } from '@siphera/runtime';
import type { Box } from './box.ts';
import { call, type CallOutput } from './rest-client.ts';
import { type Console, type ConsoleOptions, connectConsole } from './console.ts';

export const admin = {
  name: 'Ada Admin',
  email: 'ada@example.org',
  password: 'correct horse battery staple',
} as const;

export type SetUp = CallOutput<'runSetup'> & { token: string };

/** The setup code as the installer would show it: from its file, or a new one from core's internal API. */
export async function setupCode(box: Box): Promise<string> {
  const file = box.core.setupCodeFile;
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const client = new InternalClient(box.core.internalUrl);
  const { code } = (await client.call('POST', internalPaths.setupCode, {})) as { code: string };
  return code;
}

/** Runs the setup and signs the first admin in. */
export async function setupAdmin(box: Box): Promise<SetUp> {
  const signedIn = await call(box, 'runSetup', {
    body: {
      ...admin,
      code: await setupCode(box),
      org_name: 'Harbour Logistics',
      site_name: 'Main building',
      time_zone: 'Europe/Vienna',
      device_name: 'Test console',
    },
  });
  return { ...signedIn, token: signedIn.access_token };
}

/** A console of this box, signed in with `token`. */
export function openConsole(
  box: Box,
  token: string,
  options: Partial<Pick<ConsoleOptions, 'after' | 'reconnection' | 'origin'>> = {},
): Promise<Console> {
  return connectConsole({
    url: box.socketUrl,
    token,
    ...(box.ca === undefined ? {} : { ca: box.ca }),
    ...options,
  });
}
