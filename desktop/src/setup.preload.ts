/** Gives the set-up page its three calls to the desk. */
import { contextBridge, ipcRenderer } from 'electron';
import { channels, type SipheraSetup } from './channels.shared.ts';

const setup: SipheraSetup = {
  state: () => ipcRenderer.invoke(channels.setupState),
  probe: (address) => ipcRenderer.invoke(channels.setupProbe, address),
  accept: (choice) => ipcRenderer.invoke(channels.setupAccept, choice),
};

contextBridge.exposeInMainWorld('sipheraSetup', setup);
