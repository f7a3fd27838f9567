/**
 * Debian's Chromium, driven by playwright-core, that trusts a test's CA because it was put into its certificate store:
 * certificate errors are never ignored, so a page that works here has the secure origin a guard's browser would give it.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { runCommand } from './run-command.ts';
import { tempDir } from './temp-dir.ts';

export type ChromiumOptions = {
  /** PEM file of the CA to trust; none without it. */
  caFile?: string;
  /** Host names that stand for loopback, e.g. the box's. */
  hosts?: readonly string[];
  /** Further words on the command line. */
  args?: readonly string[];
  context?: BrowserContextOptions;
  executablePath?: string;
};
export type ChromiumSession = { browser: Browser; context: BrowserContext; page: Page };

/** Runs `use` with a fresh browser that knows nothing but the CA, and closes it whatever happens. */
export async function withChromium<T>(
  options: ChromiumOptions,
  use: (session: ChromiumSession) => Promise<T>,
): Promise<T> {
  await using home = await tempDir('chromium');
  if (options.caFile !== undefined) await trust(home.path, options.caFile);
  const { hosts = [], args = [] } = options;
  const browser = await chromium.launch({
    executablePath: options.executablePath ?? '/usr/bin/chromium',
    env: {
      ...process.env,
      HOME: home.path,
      XDG_CONFIG_HOME: join(home.path, '.config'),
      XDG_CACHE_HOME: join(home.path, '.cache'),
    },
    args: [
      '--no-sandbox', // Tests run as root in containers, where Chromium's own sandbox cannot start.
      '--disable-dev-shm-usage',
      `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(',')}`,
      ...args,
    ],
  });
  try {
    const context = await browser.newContext(options.context);
    const page = await context.newPage();
    return await use({ browser, context, page });
  } finally {
    await browser.close();
  }
}

/** Puts the CA into the NSS store that Chromium reads under this home. */
async function trust(home: string, caFile: string): Promise<void> {
  const store = join(home, '.pki', 'nssdb');
  await mkdir(store, { recursive: true });
  await runCommand('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
  await runCommand('certutil', [
    '-d',
    `sql:${store}`,
    '-A',
    '-t',
    'C,,',
    '-n',
    'siphera-test-ca',
    '-i',
    caFile,
  ]);
}
