/** The two windows of the desk and its life: which one is shown, and when the program ends. */
import { join } from 'node:path';
import type { BrowserWindow } from 'electron';
import { createBoxWindow, type BoxWindow } from './box-window.main.ts';
import type { CurrentBox, ElectronApi, Log } from './electron-api.main.ts';
import { createSetupWindow } from './setup-window.main.ts';

export type Windows = {
  icon: string;
  boxWindow: () => BrowserWindow | undefined;
  openBox: () => void;
  openSettings: () => void;
  closeSettings: () => void;
  /** Brings forward what the guard works with. */
  show: () => void;
  quit: () => void;
};

export function createWindows(options: {
  electron: ElectronApi;
  box: CurrentBox;
  directory: string;
  after: (ms: number, run: () => void) => void;
  log: Log;
}): Windows {
  const { electron, box, directory, log } = options;
  const { app } = electron;
  const icon = join(directory, 'icon.png');
  let boxWindow: BoxWindow | undefined;
  let setupWindow: BrowserWindow | undefined;
  let quitting = false;

  const openSettings = (): void => {
    if (setupWindow !== undefined) {
      setupWindow.focus();
      return;
    }
    setupWindow = createSetupWindow({ electron, preload: join(directory, 'setup-preload.cjs'), icon, log });
    setupWindow.on('closed', () => (setupWindow = undefined));
  };
  const openBox = (): void => {
    boxWindow ??= createBoxWindow({
      electron,
      box,
      preload: join(directory, 'box-preload.cjs'),
      icon,
      log,
      staysInTray: () => !quitting,
      after: options.after,
    });
    boxWindow.load();
  };
  const show = (): void => {
    if (boxWindow === undefined) openSettings();
    else boxWindow.show();
  };
  const quit = (): void => {
    quitting = true;
    app.quit();
  };
  app.on('second-instance', show);
  app.on('activate', show);
  app.on('before-quit', () => (quitting = true));
  // Once connected the desk lives in the tray: without a visible window it still rings.
  app.on('window-all-closed', () => {
    if (boxWindow === undefined) quit();
  });
  return {
    icon,
    boxWindow: () => boxWindow?.window,
    openBox,
    openSettings,
    closeSettings: () => setupWindow?.close(),
    show,
    quit,
  };
}
