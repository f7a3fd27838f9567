/** What every service of the box runs on: configuration, logs, metrics, SQLite, HTTP, tokens, the feed, shutdown. */
export * from './address-kind.ts';
export * from './base.ts';
export * from './core-link.ts';
export * from './core-outbox.ts';
export * from './core-reading.ts';
export * from './feed-follower.ts';
export * from './internal-client.ts';
export * from './key-box.ts';
export * from './listen.ts';
export * from './metrics.ts';
export * from './outbox-store.ts';
export * from './route-app.ts';
export * from './token-verifier.ts';
