/** What the parts of the bridge stand on. */
import type {
  AccessClaims,
  FeedEntry,
  FeedKind,
  InternalHeartbeat,
  InternalPerson,
  InternalPlaces,
  phoneRoutes,
} from '@siphera/contract';
import type {
  Clock,
  CoreOutbox,
  Handlers,
  InternalClient,
  Logger,
  Metrics,
  Random,
  Sqlite,
} from '@siphera/runtime';
import type { z } from 'zod';
import type { SipBridgeConfig } from './config.ts';
import type { SwitchEvent } from './domain/switch-event.ts';
import type { SwitchTables } from './domain/switch-tables.ts';

/** People of the box, as core knows them; kept fresh by the feed, and kept while core is down. */
export type People = {
  get(userId: string): InternalPerson | undefined;
  all(): InternalPerson[];
  /** Who is not known yet: core is asked once more, for two seconds at most. Undefined: nobody, as far as core says. */
  arrival(userId: string): Promise<InternalPerson | undefined>;
  /** Called with the ids of those who changed (on duty, roles, removed). */
  onChange(hear: (userIds: readonly string[]) => void): void;
};
export type Places = {
  all(): Omit<z.infer<typeof InternalPlaces>, 'upto'>;
  area(id: string): z.infer<typeof InternalPlaces>['areas'][number] | undefined;
  onChange(hear: () => void): void;
};

/** Kamailio, as the bridge commands and hears it. */
export type Switch = {
  /** @throws AppError `unavailable` when it is not there, `unprocessable` with its words when it refuses. */
  rpc(method: string, params?: readonly (string | number)[]): Promise<unknown>;
  /** Each event at least once, in order, also those while the bridge was down; `late`: it happened before it was heard by over 5 s. */
  on(hear: (event: SwitchEvent, late: boolean) => void): void;
  /** Each time it is heard again: it may have restarted, and what lies in its memory alone is gone then. */
  onUp(hear: () => void): void;
  isUp(): boolean;
};

/** Brings the tables of all parts to Kamailio, all or none; a Kamailio that is down takes them when it starts. */
export type Publisher = {
  add(contribute: () => Partial<SwitchTables>): void;
  /** Soon: changes of one moment go together. */
  publish(): void;
  /** Resolves when Kamailio works with what was there at the call. @throws AppError when it is down or refuses. */
  published(): Promise<void>;
  state(): { revision: number; applied: boolean; error: string | undefined };
};

export type Ground = {
  config: SipBridgeConfig;
  log: Logger;
  clock: Clock;
  random: Random;
  metrics: Metrics;
  client: InternalClient;
  db: Sqlite;
  outbox: CoreOutbox;
  people: People;
  places: Places;
  kamailio: Switch;
  publisher: Publisher;
  /** Whether claims that were good have been revoked since. */
  isRevoked(claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>): boolean;
};

export type PhoneHandlers = Handlers<typeof phoneRoutes>;
export type HealthCheck = InternalHeartbeat['checks'][number];

/** Brings handlers for its routes, follows the feed, says how it is, and stops. */
export type Part = {
  name: string;
  handlers: Partial<PhoneHandlers>;
  /** Kinds of core's feed it follows. Entries come in order, and after a crash once more: taking one twice changes nothing. */
  kinds?: readonly FeedKind[];
  onEntries?(entries: readonly FeedEntry[]): void | Promise<void>;
  /** Sessions or users that were ended: their softphones end now. */
  onRevoked?(hits: (claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>) => boolean): void;
  checks?(): HealthCheck[];
  start?(): void | Promise<void>;
  stop(): void | Promise<void>;
};
