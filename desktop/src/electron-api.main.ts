/** Electron as the main-process modules get it: injected, so that they are tested without it. */
import type electron from 'electron';
import type { Trust } from './settings.shared.ts';

export type ElectronApi = typeof electron;

export type Log = (event: string, fields?: Record<string, unknown>) => void;

/** The box this desk belongs to, as it is now; undefined before the first set-up. */
export type CurrentBox = () => { origin: string; trust: Trust } | undefined;
