/** The settings file: read whole, written whole, never half. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings, writeSettings, type ReadSettings, type Settings } from './settings.shared.ts';

export type SettingsStore = { read: () => ReadSettings; write: (settings: Settings) => void };

export function openSettingsStore(directory: string): SettingsStore {
  const path = join(directory, 'desk.json');
  return {
    read: () => readSettings(readIfThere(path)),
    write: (settings) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const temporary = `${path}.tmp`;
      writeFileSync(temporary, writeSettings(settings), { mode: 0o600 });
      renameSync(temporary, path);
    },
  };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
