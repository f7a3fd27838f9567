/** `public/emergency.json`: what the front door serves to the login page while every service of ours may be down. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EmergencyInfo } from '@siphera/contract';
import type { Logger } from '@siphera/runtime';

/** Readable to the front door, which is another user. */
const fileMode = 0o644;

export class PublicInfo {
  readonly #directory: string;
  readonly #read: () => EmergencyInfo;
  readonly #log: Logger;

  constructor({ directory, read, log }: { directory: string; read: () => EmergencyInfo; log: Logger }) {
    this.#directory = directory;
    this.#read = read;
    this.#log = log;
  }

  info(): EmergencyInfo {
    return EmergencyInfo.parse(this.#read());
  }

  /** Whole or not at all, and only where it changed. A disk that takes no file changes nothing else. */
  write(): void {
    const path = join(this.#directory, 'emergency.json');
    try {
      const text = `${JSON.stringify(this.info())}\n`;
      if (text === present(path)) return;
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(`${path}.tmp`, text, { mode: fileMode, flush: true });
      renameSync(`${path}.tmp`, path);
    } catch (error) {
      this.#log.error('emergency_info_not_written', { error, path });
    }
  }
}

function present(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It is not there yet, or cannot be read: it is written.
    return undefined;
  }
}
