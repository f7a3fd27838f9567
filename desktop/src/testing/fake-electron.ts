/** Electron as far as the desk uses it, recording what it is asked. Not Electron: what it cannot show is in the README. */
import { EventEmitter } from 'node:events';
import type { ElectronApi } from '../electron-api.main.ts';
import type { CallEvent } from '../ipc.shared.ts';

type Listener = (event: CallEvent, ...args: unknown[]) => Promise<unknown>;
type Proc = (
  request: { hostname: string; certificate: { data: string; issuerCert?: unknown; subjectName: string } },
  done: (result: number) => void,
) => void;

class FakeContents extends EventEmitter {
  windowOpenHandler: ((details: { url: string }) => { action: string }) | undefined;
  healthy = true;
  readonly session = { fetch: async (_url: string) => Promise.resolve({ ok: this.healthy }) };
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.windowOpenHandler = handler;
  }
}

class FakeWindow extends EventEmitter {
  static made: FakeWindow[] = [];
  readonly options: Record<string, unknown> & { webPreferences: Record<string, unknown> };
  readonly webContents = new FakeContents();
  readonly urls: string[] = [];
  readonly calls: string[] = [];
  minimized = false;
  constructor(options: FakeWindow['options']) {
    super();
    this.options = options;
    FakeWindow.made.push(this);
  }
  async loadURL(url: string): Promise<void> {
    this.urls.push(url);
    return Promise.resolve();
  }
  isDestroyed = (): boolean => false;
  isMinimized = (): boolean => this.minimized;
  restore = (): unknown => this.calls.push('restore');
  show = (): unknown => this.calls.push('show');
  hide = (): unknown => this.calls.push('hide');
  focus = (): unknown => this.calls.push('focus');
  moveTop = (): unknown => this.calls.push('moveTop');
  setAlwaysOnTop = (on: boolean): unknown => this.calls.push(`alwaysOnTop ${on}`);
  flashFrame = (on: boolean): unknown => this.calls.push(`flash ${on}`);
  close(): void {
    const event = { prevented: false, preventDefault: () => (event.prevented = true) };
    this.emit('close', event);
    if (!event.prevented) this.emit('closed');
  }
}

class FakeSession {
  proc: Proc | undefined;
  procsSet = 0;
  scheme: string | undefined;
  pages: ((request: { url: string }) => Promise<Response>) | undefined;
  permission:
    ((contents: unknown, name: string, done: (ok: boolean) => void, details: unknown) => void) | undefined;
  check: ((contents: unknown, name: string, origin: string) => boolean) | undefined;
  before: ((details: { url: string }, done: (answer: { cancel?: boolean }) => void) => void) | undefined;
  headers:
    | ((details: unknown, done: (answer: { responseHeaders?: Record<string, string[]> }) => void) => void)
    | undefined;
  readonly protocol = {
    handle: (scheme: string, pages: FakeSession['pages']): void => {
      this.scheme = scheme;
      this.pages = pages;
    },
  };
  readonly webRequest = {
    onBeforeRequest: (listener: FakeSession['before']): void => void (this.before = listener),
    onHeadersReceived: (listener: FakeSession['headers']): void => void (this.headers = listener),
  };
  setCertificateVerifyProc(proc: Proc): void {
    this.proc = proc;
    this.procsSet += 1;
  }
  setPermissionRequestHandler(handler: FakeSession['permission']): void {
    this.permission = handler;
  }
  setPermissionCheckHandler(handler: FakeSession['check']): void {
    this.check = handler;
  }
  setDevicePermissionHandler(): void {
    return;
  }
  async closeAllConnections(): Promise<void> {
    return Promise.resolve();
  }
}

export function fakeElectron(options: { hasLock?: boolean; home?: string } = {}) {
  FakeWindow.made = [];
  const listeners = new Map<string, Listener>();
  const session = new FakeSession();
  const calls: string[] = [];
  const record =
    (name: string) =>
    (...args: unknown[]): void => {
      const words = args.map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg)));
      calls.push([name, ...words].join(' '));
    };
  const app = Object.assign(new EventEmitter(), {
    isPackaged: true,
    requestSingleInstanceLock: () => options.hasLock ?? true,
    whenReady: async () => Promise.resolve(),
    enableSandbox: record('enableSandbox'),
    setAppUserModelId: record('setAppUserModelId'),
    setLoginItemSettings: record('setLoginItemSettings'),
    setBadgeCount: record('setBadgeCount'),
    focus: record('focus'),
    quit: record('quit'),
    exit: record('exit'),
    getPath: (name: string) => `${options.home ?? '/nonexistent'}/${name}`,
  });
  const tray = Object.assign(new EventEmitter(), {
    setToolTip: record('tooltip'),
    setContextMenu: record('trayMenu'),
  });
  const electron = {
    app,
    BrowserWindow: FakeWindow,
    session: { fromPartition: () => session },
    protocol: { registerSchemesAsPrivileged: record('schemes') },
    ipcMain: { handle: (channel: string, listener: Listener) => listeners.set(channel, listener) },
    shell: { beep: record('beep') },
    Menu: { buildFromTemplate: (template: unknown) => template, setApplicationMenu: record('menu') },
    Tray: function Tray() {
      return tray;
    },
    powerSaveBlocker: { start: record('powerSaveBlocker') },
  };
  return {
    api: electron as unknown as ElectronApi,
    app,
    session,
    calls,
    tray,
    windows: () => FakeWindow.made,
    /** A call as a page's preload makes it. */
    invoke: (channel: string, url: string, ...args: unknown[]): Promise<unknown> => {
      const listener = listeners.get(channel);
      if (listener === undefined) throw new Error(`No handler for ${channel}`);
      return listener({ senderFrame: { url, parent: null } }, ...args);
    },
  };
}
