/** The desk's main process against a fake Electron: what it asks of Electron, and what it refuses to pages. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startDesk } from './desk.main.ts';
import type { ReadSettings, Settings } from './settings.shared.ts';
import { fakeElectron } from './testing/fake-electron.ts';

const fingerprint = Array(32).fill('AB').join(':');
const origin = 'https://box.example';
const page = `${origin}/board`;
const setupPage = 'siphera-desk://app/setup.html';
const saved: Settings = {
  version: 1,
  origin,
  trust: { kind: 'pinned', ca_pem: 'CA', fingerprint },
  autostart: false,
};

async function start(read: ReadSettings = { kind: 'ok', settings: saved }, hasLock = true) {
  const fake = fakeElectron({ hasLock });
  const written: Settings[] = [];
  const logged: string[] = [];
  const waiting: (() => void)[] = [];
  const beeping: { run: () => void; stopped: boolean }[] = [];
  startDesk({
    electron: fake.api,
    store: { read: () => read, write: (settings) => void written.push(settings) },
    probe: async () =>
      Promise.resolve({
        result: {
          kind: 'own_ca',
          origin,
          name: 'box.example',
          fingerprint,
          expires_at: '2036-01-01T00:00:00.000Z',
        },
        caPem: 'CA',
      }),
    directory: '/desk',
    nowMs: () => 0,
    after: (_ms, run) => void waiting.push(run),
    every: (_ms, run) => {
      const timer = { run, stopped: false };
      beeping.push(timer);
      return () => (timer.stopped = true);
    },
    log: (event) => void logged.push(event),
  });
  await setImmediate();
  return { ...fake, written, logged, waiting, beeping };
}

describe('the desk', () => {
  it('opens the console of its box in a window without rights', async () => {
    const desk = await start();
    const [window] = desk.windows();
    expect(window?.urls).toEqual([`${origin}/`]);
    expect(window?.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      webSecurity: true,
      devTools: false,
      autoplayPolicy: 'no-user-gesture-required',
    });
    expect(desk.calls).toContain('enableSandbox');
  });

  it('runs once, and comes to the front when it is started again', async () => {
    const second = await start(undefined, false);
    expect(second.calls).toEqual(['quit']);
    expect(second.windows()).toEqual([]);
    const desk = await start();
    const [window] = desk.windows();
    window!.minimized = true;
    desk.app.emit('second-instance');
    expect(window?.calls).toEqual(['restore', 'show', 'focus']);
  });

  it.each([{ kind: 'none' }, { kind: 'damaged' }] as const)(
    'asks for a box when its settings are $kind',
    async (read) => {
      const desk = await start(read);
      expect(desk.windows()[0]?.urls).toEqual([setupPage]);
      expect(await desk.invoke('setup:state', setupPage)).toMatchObject({ damaged: read.kind === 'damaged' });
      expect(desk.written).toEqual([]);
    },
  );

  it('trusts a box only as the set-up page saw it', async () => {
    const desk = await start({ kind: 'none' });
    const accept = (choice: unknown): Promise<unknown> => desk.invoke('setup:accept', setupPage, choice);
    expect(await accept({ origin, fingerprint, autostart: false })).toBe(false);
    await desk.invoke('setup:probe', setupPage, 'box.example');
    expect(await accept({ origin, fingerprint: Array(32).fill('CD').join(':'), autostart: false })).toBe(
      false,
    );
    expect(await accept({ origin: 'https://other.example', fingerprint, autostart: false })).toBe(false);
    expect(await accept({ origin, autostart: false })).toBe(false);
    expect(desk.written).toEqual([]);
    expect(await accept({ origin, fingerprint, autostart: false })).toBe(true);
    expect(desk.written).toEqual([saved]);
    expect(desk.windows().at(-1)?.urls).toEqual([`${origin}/`]);
    expect(desk.session.procsSet).toBe(2);
  });

  it('takes set-up from its own page alone, and alarms from the box alone', async () => {
    const desk = await start();
    await expect(desk.invoke('setup:probe', page, 'box.example')).rejects.toThrow('wrong_sender');
    await expect(desk.invoke('desk:alarm', setupPage, 'high')).rejects.toThrow('wrong_sender');
    await expect(desk.invoke('desk:alarm', page, 'deafening')).rejects.toThrow('bad_input');
    expect(desk.logged).toEqual(['call_refused', 'call_refused', 'call_refused']);
  });

  it('comes to the front and sounds until the alarm is taken', async () => {
    const desk = await start();
    const [window] = desk.windows();
    await desk.invoke('desk:alarm', page, 'critical');
    expect(window?.calls).toEqual(['show', 'focus', 'alwaysOnTop true', 'moveTop', 'flash true']);
    desk.beeping[0]?.run();
    expect(desk.calls.filter((call) => call === 'beep')).toHaveLength(2);
    await desk.invoke('desk:alarm', page, 'high');
    expect(desk.beeping).toHaveLength(1);
    expect(desk.calls).toContain('setBadgeCount 2');
    await desk.invoke('desk:clear-alarm', page);
    expect(desk.beeping[0]?.stopped).toBe(true);
    expect(desk.calls).toContain('setBadgeCount 0');
    expect(window?.calls.slice(-2)).toEqual(['alwaysOnTop false', 'flash false']);
  });

  it('lets no page leave the box, open windows, or embed others', async () => {
    const desk = await start();
    const contents = desk.windows()[0]!.webContents;
    desk.app.emit('web-contents-created', {}, contents);
    const goes = (name: string, url: string): boolean => {
      let prevented = false;
      contents.emit(name, { url, preventDefault: () => (prevented = true) });
      return !prevented;
    };
    for (const name of ['will-navigate', 'will-redirect', 'will-frame-navigate']) {
      expect(goes(name, `${origin}/incidents`)).toBe(true);
      expect(goes(name, 'https://evil.example/')).toBe(false);
    }
    expect(goes('will-attach-webview', '')).toBe(false);
    expect(contents.windowOpenHandler?.({ url: `${origin}/` })).toEqual({ action: 'deny' });
  });

  it('refuses every certificate that is not of its box, whatever the system thinks', async () => {
    const desk = await start();
    const ask = (hostname: string): number => {
      let answer = Number.NaN;
      desk.session.proc?.(
        { hostname, certificate: { data: 'PEM', subjectName: 'x' } },
        (result) => (answer = result),
      );
      return answer;
    };
    expect(ask('box.example')).toBe(-2);
    expect(ask('other.example')).toBe(-2);
    let trusted: boolean | undefined;
    desk.app.emit(
      'certificate-error',
      { preventDefault: () => undefined },
      {},
      page,
      'ERR',
      {},
      (ok: boolean) => (trusted = ok),
    );
    expect(trusted).toBe(false);
  });

  it('reaches nothing but the box, and gives it microphone and camera only', async () => {
    const desk = await start();
    const cancelled = (url: string): boolean | undefined => {
      let cancel: boolean | undefined;
      desk.session.before?.({ url }, (answer) => (cancel = answer.cancel));
      return cancel;
    };
    expect(cancelled(`${origin}/api/v1/incidents`)).toBe(false);
    expect(cancelled('https://telemetry.example/')).toBe(true);
    const granted = (permission: string, requestingUrl: string): boolean | undefined => {
      let ok: boolean | undefined;
      desk.session.permission?.({}, permission, (answer) => (ok = answer), { requestingUrl });
      return ok;
    };
    expect(granted('media', page)).toBe(true);
    expect(granted('geolocation', page)).toBe(false);
    expect(desk.session.check?.({}, 'media', `${origin}/`)).toBe(true);
    expect(desk.session.check?.({}, 'media', 'https://evil.example/')).toBe(false);
  });

  it('gives a page of the box a policy when the answer lost its own', async () => {
    const desk = await start();
    let headers: Record<string, string[]> | undefined;
    desk.session.headers?.(
      { resourceType: 'mainFrame', responseHeaders: {} },
      (answer) => (headers = answer.responseHeaders),
    );
    expect(headers?.['Content-Security-Policy']?.[0]).toContain("default-src 'none'");
  });

  it('says that the box is away, and comes back by itself', async () => {
    const desk = await start();
    const [window] = desk.windows();
    window!.webContents.healthy = false;
    window!.webContents.emit('did-fail-load', {}, -106, 'ERR_INTERNET_DISCONNECTED', `${origin}/`, true);
    expect(window?.urls.at(-1)).toBe('siphera-desk://app/unreachable.html?why=network');
    desk.waiting.shift()?.();
    await setImmediate();
    expect(desk.waiting).toHaveLength(1);
    window!.webContents.healthy = true;
    desk.waiting.shift()?.();
    await setImmediate();
    expect(window?.urls.at(-1)).toBe(`${origin}/`);
  });

  it('names a foreign certificate as the reason, and does not mind an aborted or inner navigation', async () => {
    const desk = await start();
    const [window] = desk.windows();
    window!.webContents.emit('did-fail-load', {}, -3, 'ERR_ABORTED', `${origin}/`, true);
    window!.webContents.emit('did-fail-load', {}, -106, 'ERR', `${origin}/`, false);
    expect(window?.urls).toHaveLength(1);
    window!.webContents.emit('did-fail-load', {}, -202, 'ERR_CERT_AUTHORITY_INVALID', `${origin}/`, true);
    expect(window?.urls.at(-1)).toBe('siphera-desk://app/unreachable.html?why=certificate');
  });

  it('stays in the tray when its window is closed, and ends when it is told to', async () => {
    const desk = await start();
    const [window] = desk.windows();
    window?.close();
    expect(window?.calls).toEqual(['hide']);
    desk.app.emit('before-quit');
    window?.close();
    expect(window?.calls).toEqual(['hide']);
  });

  it('reloads a page that crashed', async () => {
    const desk = await start();
    const [window] = desk.windows();
    window!.webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    desk.waiting.shift()?.();
    expect(window?.urls).toEqual([`${origin}/`, `${origin}/`]);
  });
});
