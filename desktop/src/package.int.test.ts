/**
 * What the desk is shipped as. No Electron runs here: the bundles are started against a recording one, and the package is
 * built on a stub distribution, which proves the file list, not that the program opens a window.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getRawHeader, listPackage, extractFile } from '@electron/asar';
import { repositoryRoot, runCommand, tempDir, withChromium, createTestCa, freePort } from '@siphera/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProbeResult, SipheraSetup } from './channels.shared.ts';

const root = join(repositoryRoot, 'desktop');
const dist = join(root, 'dist');

beforeAll(async () => {
  await runCommand(process.execPath, [join(root, 'bundle.ts')]);
});

const loads = (file: string): string[] =>
  [...readFileSync(join(dist, file), 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(
    (match) => match[1] ?? '',
  );

describe('the bundles', () => {
  it('load Electron and Node, and nothing else', () => {
    for (const name of loads('main.cjs')) expect(name).toMatch(/^(electron|node:[a-z_/]+|[a-z_]+)$/);
    expect(new Set(loads('box-preload.cjs'))).toEqual(new Set(['electron']));
    expect(new Set(loads('setup-preload.cjs'))).toEqual(new Set(['electron']));
  });

  it('start, and ask Electron for a sandboxed window with the set-up page', async () => {
    await using dir = await tempDir('desk');
    const script = join(dir.path, 'start.cjs');
    writeFileSync(script, recordingElectron(dir.path, join(dist, 'main.cjs')));
    const output = await runCommand(process.execPath, [script]);
    const calls = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown[]);
    const window = calls.find(([name]) => name === 'BrowserWindow')?.[1];
    expect(window).toMatchObject({
      webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false },
    });
    expect(calls).toContainEqual(['loadURL', 'siphera-desk://app/setup.html']);
  });

  it('give the console its three calls', async () => {
    await using dir = await tempDir('desk');
    const script = join(dir.path, 'start.cjs');
    writeFileSync(script, recordingElectron(dir.path, join(dist, 'box-preload.cjs')));
    const output = await runCommand(process.execPath, [script]);
    expect(JSON.parse(output.trim())).toEqual([
      'expose',
      'sipheraDesk',
      ['version', 'alarm', 'clearAlarm', 'openSettings'],
    ]);
  });
});

describe('the set-up page', () => {
  const fingerprint = Array(32).fill('AB').join(':');

  it('lets nobody connect before the fingerprint was compared', async () => {
    await using dir = await tempDir('desk');
    const ca = await createTestCa(join(dir.path, 'pki'));
    await withPages(async (url) => {
      await withChromium({ caFile: ca.caFile, hosts: [] }, async ({ page }) => {
        const errors: string[] = [];
        page.on('pageerror', (error) => errors.push(error.message));
        page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
        await page.addInitScript(stubSetup, { origin: 'https://box.example', fingerprint });
        await page.goto(`${url}/setup.html`);
        const accept = page.locator('#accept');
        await page.fill('#address', 'box.example');
        await page.click('#look-button');
        await page.waitForSelector('#trust:not([hidden])');
        expect(await page.locator('#fingerprint').textContent()).toContain('AB:AB');
        expect(await accept.isDisabled()).toBe(true);
        await page.check('#compared');
        expect(await accept.isDisabled()).toBe(false);
        await page.fill('#expected', Array(32).fill('CD').join(':'));
        expect(await accept.isDisabled()).toBe(true);
        expect(await page.locator('#mismatch').isVisible()).toBe(true);
        await page.fill('#expected', fingerprint.toLowerCase());
        expect(await page.locator('#mismatch').isVisible()).toBe(false);
        await accept.click();
        expect(await page.evaluate(() => (window as unknown as { accepted: unknown }).accepted)).toEqual({
          origin: 'https://box.example',
          fingerprint,
          autostart: false,
        });
        expect(errors).toEqual([]);
      });
    });
  });
});

describe('the package', () => {
  it('holds the bundles and the manifest, and no modules', async () => {
    await using dir = await tempDir('desk');
    const electronDist = stubDistribution(join(dir.path, 'electron'));
    const output = join(dir.path, 'out');
    await runCommand(
      join(repositoryRoot, 'node_modules/.bin/electron-builder'),
      [
        '--linux',
        'dir',
        '--publish',
        'never',
        `-c.electronDist=${electronDist}`,
        `-c.directories.output=${output}`,
      ],
      { cwd: root },
    );
    const asar = join(output, 'linux-unpacked/resources/app.asar');
    expect(existsSync(asar)).toBe(true);
    expect(getRawHeader(asar).headerSize).toBeGreaterThan(0);
    const files = listPackage(asar, { isPack: false })
      .filter((name) => name !== '/dist')
      .sort();
    expect(files).toEqual(
      [
        '/dist/box-preload.cjs',
        '/dist/icon.png',
        '/dist/main.cjs',
        '/dist/page.css',
        '/dist/setup-preload.cjs',
        '/dist/setup.html',
        '/dist/setup.js',
        '/dist/unreachable.html',
        '/dist/unreachable.js',
        '/package.json',
      ].sort(),
    );
    const manifest = JSON.parse(extractFile(asar, 'package.json').toString()) as { main: string };
    expect(files).toContain(`/${manifest.main}`);
    const program = readFileSync(join(output, 'linux-unpacked/siphera-desk'));
    const wire = program.subarray(program.indexOf(fuseSentinel) + fuseSentinel.length + 2);
    // In the order of @electron/fuses: run as node off, cookies encrypted, NODE_OPTIONS off, --inspect off, asar
    // integrity on, only asar on, own snapshot off, file: privileges off.
    expect(wire.subarray(0, 8).toString()).toBe('01001100');
  });
});

/** Mark of the fuse wire in an Electron binary. */
const fuseSentinel = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';

/** As much of an Electron distribution as the packager wants to see. */
function stubDistribution(path: string): string {
  const { version } = JSON.parse(
    readFileSync(join(repositoryRoot, 'node_modules/electron/package.json'), 'utf8'),
  ) as { version: string };
  mkdirSync(join(path, 'resources'), { recursive: true });
  // The fuses as Electron ships them, all on: the packager looks for this mark and blows what the configuration says.
  const fuses = Buffer.concat([Buffer.from(fuseSentinel), Buffer.from([1, 8]), Buffer.from('11111111')]);
  writeFileSync(join(path, 'electron'), Buffer.concat([readFileSync('/bin/true'), fuses]));
  chmodSync(join(path, 'electron'), 0o755);
  writeFileSync(join(path, 'version'), version);
  writeFileSync(join(path, 'LICENSE'), '');
  writeFileSync(join(path, 'LICENSES.chromium.html'), '');
  return path;
}

/** A script that loads `bundle` with an Electron that prints what is asked of it. */
function recordingElectron(home: string, bundle: string): string {
  return `
const Module = require('node:module');
const print = (...call) => process.stdout.write(JSON.stringify(call) + '\\n');
const any = () => new Proxy(function () {}, { get: (_, key) => (key === 'then' ? undefined : any()), apply: () => any(), construct: () => any() });
class BrowserWindow {
  constructor(options) { print('BrowserWindow', options); this.webContents = any(); }
  async loadURL(url) { print('loadURL', url); }
  once() {} on() {}
}
const app = { isPackaged: true, requestSingleInstanceLock: () => true, whenReady: async () => {}, getPath: () => ${JSON.stringify(home)} };
const electron = {
  app: new Proxy(app, { get: (target, key) => target[key] ?? any() }),
  BrowserWindow, session: any(), protocol: any(), ipcMain: any(), shell: any(), Menu: any(), Tray: any(), powerSaveBlocker: any(),
  ipcRenderer: any(),
  contextBridge: { exposeInMainWorld: (name, api) => print('expose', name, Object.keys(api)) },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === 'electron' ? electron : load(name, ...rest));
require(${JSON.stringify(bundle)});
`;
}

/** Serves the bundled pages as the desk's own scheme does, with the same policy. */
async function withPages(use: (url: string) => Promise<void>): Promise<void> {
  const { createServer } = await import('node:http');
  const { servePages } = await import('./pages.main.ts');
  const { deskOrigin } = await import('./guard.shared.ts');
  const pages = servePages(dist);
  const server = createServer((request, response) => {
    void pages({ url: `${deskOrigin}${request.url ?? ''}` }).then(async (answer) => {
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Runs in the page, in place of the preload script. */
function stubSetup({ origin, fingerprint }: { origin: string; fingerprint: string }): void {
  const result: ProbeResult = { kind: 'own_ca', origin, name: 'box.example', fingerprint, expires_at: '' };
  const setup: SipheraSetup = {
    state: () => Promise.resolve({ origin: undefined, autostart: false, damaged: false }),
    probe: () => Promise.resolve(result),
    accept: (choice) => {
      Object.assign(window, { accepted: choice });
      return Promise.resolve(true);
    },
  };
  Object.assign(window, { sipheraSetup: setup });
}
