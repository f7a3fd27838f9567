/** What the service is put together from: each part brings handlers, follows the feed, says how it is, and stops. */
import type {
  AccessClaims,
  cameraRoutes,
  FeedEntry,
  FeedKind,
  footageRoutes,
  InternalHeartbeat,
} from '@siphera/contract';
import type { Handlers } from '@siphera/runtime';
import type { CameraRegistry } from './adapters/core/camera-registry.ts';
import type { CameraStates } from './adapters/core/camera-states.ts';

export type CameraHandlers = Handlers<typeof cameraRoutes & typeof footageRoutes>;
export type HealthCheck = InternalHeartbeat['checks'][number];

export type Part = {
  name: string;
  handlers?: Partial<CameraHandlers>;
  /** Kinds of core's feed it follows. Entries come in order, and after a crash once more: taking one twice must change nothing. */
  kinds?: readonly FeedKind[];
  onEntries?(entries: readonly FeedEntry[]): void | Promise<void>;
  /** Claims of a token that was just found good. */
  onCaller?(claims: AccessClaims): void;
  /** Lines of the heartbeat. */
  checks?(): HealthCheck[];
  /** After all parts are made, before anybody is let in. */
  start?(): void | Promise<void>;
  stop(): void | Promise<void>;
};

/** What parts need besides `Ground`: the stored rows of cameras, their states, and how far the feed was heard. */
export type Base = {
  registry: CameraRegistry;
  states: CameraStates;
  feedPosition(): number;
  /** Whether claims that were good have been revoked since: for what goes on after its request. */
  isRevoked(claims: AccessClaims): boolean;
};
