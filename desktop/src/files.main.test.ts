/** The files the desk writes and serves. */
import { mkdirSync, readFileSync, statSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { setAutostart } from './autostart.main.ts';
import { servePages } from './pages.main.ts';
import { openSettingsStore } from './settings-store.main.ts';
import type { Settings } from './settings.shared.ts';
import { fakeElectron } from './testing/fake-electron.ts';

const settings: Settings = {
  version: 1,
  origin: 'https://box.example',
  trust: { kind: 'system' },
  autostart: false,
};

describe('the settings file', () => {
  it('is read as it was written, and by its owner alone', async () => {
    await using dir = await tempDir('desk');
    const store = openSettingsStore(join(dir.path, 'siphera'));
    expect(store.read()).toEqual({ kind: 'none' });
    store.write(settings);
    expect(store.read()).toEqual({ kind: 'ok', settings });
    expect(statSync(join(dir.path, 'siphera/desk.json')).mode & 0o777).toBe(0o600);
  });

  it('stays as it is when it is damaged', async () => {
    await using dir = await tempDir('desk');
    writeFileSync(join(dir.path, 'desk.json'), '{"version":1');
    expect(openSettingsStore(dir.path).read()).toEqual({ kind: 'damaged' });
    expect(readFileSync(join(dir.path, 'desk.json'), 'utf8')).toBe('{"version":1');
  });
});

describe('autostart', () => {
  it('is a desktop entry on Linux that quotes where the program lies', async () => {
    await using dir = await tempDir('desk');
    const { api } = fakeElectron();
    const system = {
      platform: 'linux',
      configDirectory: dir.path,
      executable: '/opt/Siphera $Desk/100%/desk',
    } as const;
    const file = join(dir.path, 'autostart/siphera-desk.desktop');
    setAutostart(api.app, true, system);
    expect(readFileSync(file, 'utf8')).toContain(String.raw`Exec="/opt/Siphera \\$Desk/100%%/desk"`);
    setAutostart(api.app, false, system);
    expect(existsSync(file)).toBe(false);
    setAutostart(api.app, false, system);
  });

  it('is a login item elsewhere', () => {
    const { api, calls } = fakeElectron();
    setAutostart(api.app, true, { platform: 'win32', configDirectory: '/none', executable: 'desk.exe' });
    expect(calls).toEqual(['setLoginItemSettings {"openAtLogin":true}']);
  });
});

describe("the desk's own pages", () => {
  it('are a fixed list under a strict policy; no path reaches anything else', async () => {
    await using dir = await tempDir('desk');
    mkdirSync(join(dir.path, 'inner'));
    writeFileSync(join(dir.path, 'setup.html'), '<p>hello</p>');
    writeFileSync(join(dir.path, 'main.cjs'), 'secret');
    const serve = servePages(dir.path);
    const page = await serve({ url: 'siphera-desk://app/setup.html' });
    expect(await page.text()).toBe('<p>hello</p>');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    for (const url of [
      'siphera-desk://app/main.cjs',
      'siphera-desk://app/../main.cjs',
      'siphera-desk://app/%2e%2e/main.cjs',
      'siphera-desk://app/inner/',
      'siphera-desk://app/constructor',
      'siphera-desk://other/setup.html',
    ])
      expect((await serve({ url })).status).toBe(404);
  });
});
