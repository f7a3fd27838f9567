/** The window of the box's console. It comes back by itself when the box was away or the page crashed. */
import type { BrowserWindow } from 'electron';
import type { CurrentBox, ElectronApi, Log } from './electron-api.main.ts';
import { deskOrigin } from './guard.shared.ts';
import { pagePreferences } from './web-preferences.shared.ts';

export const boxPartition = 'persist:box';
/** A box that restarts is back on the screen within this time. */
const retryMs = 3_000;
const reloadMs = 1_000;
/** Chromium's ERR_ABORTED: another navigation took over, nothing is wrong. */
const abortedCode = -3;
/** Chromium's certificate errors. */
const isCertificateError = (code: number): boolean => code <= -200 && code > -300;

export type BoxWindow = { window: BrowserWindow; load: () => void; show: () => void };

export function createBoxWindow(options: {
  electron: Pick<ElectronApi, 'BrowserWindow' | 'app'>;
  box: CurrentBox;
  preload: string;
  icon: string;
  log: Log;
  /** False lets the window close; true keeps the desk alive behind it, so that alarms go on ringing. */
  staysInTray: () => boolean;
  after: (ms: number, run: () => void) => void;
}): BoxWindow {
  const { electron, box, log, after } = options;
  const window = new electron.BrowserWindow({
    width: 1_440,
    height: 900,
    minWidth: 800,
    minHeight: 600,
    show: false,
    backgroundColor: '#12161b',
    icon: options.icon,
    webPreferences: {
      ...pagePreferences,
      partition: boxPartition,
      preload: options.preload,
      devTools: !electron.app.isPackaged,
    },
  });
  const open = (url: string): void => {
    // What fails to load is told by `did-fail-load`.
    window.loadURL(url).catch((error: unknown) => log('load_failed', { url, error }));
  };
  const load = (): void => {
    const origin = box()?.origin;
    if (origin !== undefined && !window.isDestroyed()) open(`${origin}/`);
  };
  const retry = async (): Promise<void> => {
    const origin = box()?.origin;
    if (origin === undefined || window.isDestroyed()) return;
    const answer = await window.webContents.session.fetch(`${origin}/healthz`).catch(() => undefined);
    if (answer?.ok === true) load();
    else after(retryMs, () => void retry());
  };
  window.webContents.on('did-fail-load', (_event, code, description, _url, isMainFrame) => {
    if (!isMainFrame || code === abortedCode) return;
    log('box_unreachable', { code, description });
    open(`${deskOrigin}/unreachable.html?why=${isCertificateError(code) ? 'certificate' : 'network'}`);
    after(retryMs, () => void retry());
  });
  window.webContents.on('render-process-gone', (_event, details) => {
    log('page_gone', { reason: details.reason });
    after(reloadMs, load);
  });
  window.once('ready-to-show', () => window.show());
  window.on('close', (event) => {
    if (!options.staysInTray()) return;
    event.preventDefault();
    window.hide();
  });
  return { window, load, show: () => bringToFront(window) };
}

export function bringToFront(window: BrowserWindow): void {
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}
