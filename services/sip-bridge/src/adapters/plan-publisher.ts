/** Brings the tables of all parts to Kamailio, all or none. */
import type { Clock, Logger } from '@siphera/runtime';
import type { Publisher, Switch } from '../ground.ts';

export class PlanPublisher implements Publisher {
  constructor(_options: { directory: string; kamailio: Pick<Switch, 'rpc'>; clock: Clock; log: Logger }) {
    throw new Error('not yet');
  }

  add(): void {
    throw new Error('not yet');
  }

  publish(): void {
    throw new Error('not yet');
  }

  published(): Promise<void> {
    throw new Error('not yet');
  }

  state(): ReturnType<Publisher['state']> {
    throw new Error('not yet');
  }

  stop(): void {
    throw new Error('not yet');
  }
}
