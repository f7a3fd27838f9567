/** The window where the box's address is entered and its fingerprint compared. */
import type { BrowserWindow } from 'electron';
import { boxPartition } from './box-window.main.ts';
import type { ElectronApi, Log } from './electron-api.main.ts';
import { deskOrigin } from './guard.shared.ts';
import { pagePreferences } from './web-preferences.shared.ts';

export function createSetupWindow(options: {
  electron: Pick<ElectronApi, 'BrowserWindow' | 'app'>;
  preload: string;
  icon: string;
  log: Log;
}): BrowserWindow {
  const { electron, log } = options;
  const window = new electron.BrowserWindow({
    width: 640,
    height: 720,
    resizable: false,
    fullscreenable: false,
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
  window.once('ready-to-show', () => window.show());
  window.loadURL(`${deskOrigin}/setup.html`).catch((error: unknown) => log('setup_page_failed', { error }));
  return window;
}
