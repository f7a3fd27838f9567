/** Kamailio's reports: at once over evapi, and out of its spool what came while the bridge was down. */
import type { Clock, Logger } from '@siphera/runtime';
import type { Switch } from '../ground.ts';

export class SwitchEvents {
  constructor(_options: { address: string; spool: string; clock: Clock; log: Logger }) {
    throw new Error('not yet');
  }

  on(_hear: Parameters<Switch['on']>[0]): void {
    throw new Error('not yet');
  }

  /** Whether evapi is connected. */
  isUp(): boolean {
    throw new Error('not yet');
  }

  start(): void {
    throw new Error('not yet');
  }

  stop(): Promise<void> {
    throw new Error('not yet');
  }
}
