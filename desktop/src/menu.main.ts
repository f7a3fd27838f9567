/** Menu and tray. */
import type { MenuItemConstructorOptions, Tray } from 'electron';
import type { ElectronApi } from './electron-api.main.ts';

type Actions = { show: () => void; openSettings: () => void; quit: () => void };

export function createMenu(electron: Pick<ElectronApi, 'Menu'>, actions: Actions): void {
  const template: MenuItemConstructorOptions[] = [
    {
      label: 'Siphera',
      submenu: [
        { label: 'Settings…', accelerator: 'CmdOrCtrl+,', click: actions.openSettings },
        { type: 'separator' },
        { label: 'Quit', accelerator: 'CmdOrCtrl+Q', click: actions.quit },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'reload' },
        { type: 'separator' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
  ];
  electron.Menu.setApplicationMenu(electron.Menu.buildFromTemplate(template));
}

export function createTray(
  electron: Pick<ElectronApi, 'Menu' | 'Tray'>,
  icon: string,
  actions: Actions,
): Tray {
  const tray = new electron.Tray(icon);
  tray.setToolTip('Siphera Desk');
  tray.setContextMenu(
    electron.Menu.buildFromTemplate([
      { label: 'Open', click: actions.show },
      { label: 'Settings…', click: actions.openSettings },
      { type: 'separator' },
      { label: 'Quit', click: actions.quit },
    ]),
  );
  tray.on('click', actions.show);
  return tray;
}
