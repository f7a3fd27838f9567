/** What the writer's use cases stand on besides the transaction. */
import type { Clock, Logger, Random, Sqlite } from '@siphera/runtime';
import type { Config } from './config.ts';
import type { Ingest } from './events/ingest.ts';
import type { RegistryIndex } from './registry/store/registry-index.ts';
import type { RuleRuntime } from './rules/rule-runtime.ts';

export type WriterDeps = {
  config: Config;
  db: Sqlite;
  clock: Clock;
  random: Random;
  log: Logger;
  index: RegistryIndex;
  rules: RuleRuntime;
  /** Set once the writer side is put together. */
  ingest?: Ingest;
  /** A device certificate was issued or revoked: the revocation list is written anew. */
  crlChanged(): void;
  /** Publishes to the broker now if it is connected. @returns false when it is not. */
  publish(topic: string, payload: string, options: { retain: boolean }): boolean;
};
