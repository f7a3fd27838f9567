/** Makes an alarm felt at the desk: window to the front, taskbar, badge, tray, and a sound of its own until it is taken. */
import type { BrowserWindow, Tray } from 'electron';
import { calm, effectsOf, raiseAlarm } from './alarm.shared.ts';
import { bringToFront } from './box-window.main.ts';
import type { AlarmSeverity } from './channels.shared.ts';
import type { ElectronApi } from './electron-api.main.ts';

/** Often enough to be noticed in a loud room, slow enough to talk over. */
const beepMs = 2_000;

export type AlarmDesk = { alarm: (severity: AlarmSeverity) => void; clear: () => void };

export function createAlarmDesk(options: {
  electron: Pick<ElectronApi, 'app' | 'shell'>;
  window: () => BrowserWindow | undefined;
  tray: () => Tray | undefined;
  /** Starts a repetition; calling the answer ends it. */
  every: (ms: number, run: () => void) => () => void;
}): AlarmDesk {
  const { app, shell } = options.electron;
  let state = calm;
  let stopBeeping: (() => void) | undefined;
  const showBadge = (count: number): void => {
    app.setBadgeCount(count);
    options.tray()?.setToolTip(count === 0 ? 'Siphera Desk' : `Siphera Desk: ${count}`);
  };
  const alarm = (severity: AlarmSeverity): void => {
    state = raiseAlarm(state, severity);
    const effects = effectsOf(state, severity);
    const window = options.window();
    showBadge(effects.badge);
    if (window !== undefined && effects.raise) {
      bringToFront(window);
      // Over full-screen windows too, until the alarm is taken.
      window.setAlwaysOnTop(true, 'screen-saver');
      window.moveTop();
      app.focus({ steal: true });
    }
    if (effects.flash) window?.flashFrame(true);
    if (effects.sound !== 'none') shell.beep();
    if (effects.sound === 'repeat') stopBeeping ??= options.every(beepMs, () => shell.beep());
  };
  const clear = (): void => {
    state = calm;
    stopBeeping?.();
    stopBeeping = undefined;
    showBadge(0);
    const window = options.window();
    window?.setAlwaysOnTop(false);
    window?.flashFrame(false);
  };
  return { alarm, clear };
}
