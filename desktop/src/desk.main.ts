/** The desk as a whole: one instance, one box, one window, put together from parts that know nothing of each other. */
import { createAlarmDesk, type AlarmDesk } from './alarm.main.ts';
import { setAutostart } from './autostart.main.ts';
import { secureSession, trustOnly } from './box-session.main.ts';
import { boxPartition } from './box-window.main.ts';
import { channels } from './channels.shared.ts';
import type { CurrentBox, ElectronApi, Log } from './electron-api.main.ts';
import { guardContents } from './guard.main.ts';
import { deskScheme, isDeskPage, mayNavigate } from './guard.shared.ts';
import { createHandle, Nothing, Severity, type OnRefused } from './ipc.shared.ts';
import { createMenu, createTray } from './menu.main.ts';
import type { Probe } from './probe.main.ts';
import type { SettingsStore } from './settings-store.main.ts';
import type { Settings } from './settings.shared.ts';
import { handleSetup } from './setup.main.ts';
import { createWindows } from './windows.main.ts';

export type DeskOptions = {
  electron: ElectronApi;
  store: SettingsStore;
  probe: (address: string) => Promise<Probe>;
  /** Where the bundle lies. */
  directory: string;
  nowMs: () => number;
  after: (ms: number, run: () => void) => void;
  every: (ms: number, run: () => void) => () => void;
  log: Log;
};

/** To be called before Electron is ready. */
export function startDesk(options: DeskOptions): void {
  const { electron, log } = options;
  const { app } = electron;
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  app.enableSandbox();
  app.setAppUserModelId('org.siphera.desk');
  electron.protocol.registerSchemesAsPrivileged([
    { scheme: deskScheme, privileges: { standard: true, secure: true } },
  ]);
  app
    .whenReady()
    .then(() => openDesk(options))
    .catch((error: unknown) => {
      log('start_failed', { error });
      app.exit(1);
    });
}

function openDesk(options: DeskOptions): void {
  const { electron, store, log } = options;
  const { app } = electron;
  const read = store.read();
  let settings: Settings | undefined = read.kind === 'ok' ? read.settings : undefined;
  const box: CurrentBox = () => settings;
  const session = electron.session.fromPartition(boxPartition);
  const sessionOptions = { session, box, pageDirectory: options.directory, nowMs: options.nowMs, log };
  const windows = createWindows({ ...options, box });

  guardContents(app, box, log);
  secureSession(sessionOptions);
  createMenu(electron, windows);
  const tray = createTray(electron, windows.icon, windows);
  const alarmDesk = createAlarmDesk({
    electron,
    window: windows.boxWindow,
    tray: () => tray,
    every: options.every,
  });
  takeCalls(options, box, {
    ...alarmDesk,
    openSettings: windows.openSettings,
    accept: (accepted) => {
      store.write(accepted);
      settings = accepted;
      log('box_accepted', { origin: accepted.origin, trust: accepted.trust.kind });
      trustOnly(sessionOptions);
      session.closeAllConnections().catch((error: unknown) => log('connections_stay', { error }));
      setAutostart(app, accepted.autostart, {
        platform: process.platform,
        configDirectory: app.getPath('appData'),
        executable: app.getPath('exe'),
      });
      alarmDesk.clear();
      windows.openBox();
      windows.closeSettings();
    },
  });
  electron.powerSaveBlocker.start('prevent-app-suspension');
  if (settings === undefined) windows.openSettings();
  else windows.openBox();
}

function takeCalls(
  { electron, store, probe, log }: DeskOptions,
  box: CurrentBox,
  actions: AlarmDesk & { openSettings: () => void; accept: (settings: Settings) => void },
): void {
  const refused: OnRefused = (channel, why, error) => log('call_refused', { channel, why, error });
  const isBoxPage = (url: string): boolean => !isDeskPage(url) && mayNavigate(box()?.origin, url);
  const handle = createHandle(electron.ipcMain, isBoxPage, refused);
  handle(channels.alarm, Severity, actions.alarm);
  handle(channels.clearAlarm, Nothing, actions.clear);
  handle(channels.openSettings, Nothing, actions.openSettings);
  handleSetup(createHandle(electron.ipcMain, isDeskPage, refused), {
    read: store.read,
    probe,
    onAccepted: actions.accept,
  });
}
