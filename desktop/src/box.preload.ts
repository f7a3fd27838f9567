/** Gives the web console its three calls to the desk, and nothing else. */
import { contextBridge, ipcRenderer } from 'electron';
import packageJson from '../package.json' with { type: 'json' };
import { channels, type SipheraDesk } from './channels.shared.ts';

const desk: SipheraDesk = {
  version: packageJson.version,
  alarm: (severity) => ipcRenderer.invoke(channels.alarm, severity),
  clearAlarm: () => ipcRenderer.invoke(channels.clearAlarm),
  openSettings: () => ipcRenderer.invoke(channels.openSettings),
};

contextBridge.exposeInMainWorld('sipheraDesk', desk);
