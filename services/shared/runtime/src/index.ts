/** What every service of the box runs on: configuration, logs, metrics, SQLite, HTTP, tokens, the feed, shutdown. */
export * from './app-error.ts';
export * from './clock.ts';
export * from './config.ts';
export * from './core-link.ts';
export * from './feed-follower.ts';
export * from './internal-client.ts';
export { isTooDeep } from './json-depth.ts';
export * from './key-box.ts';
export * from './listen.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './random.ts';
export * from './route-app.ts';
export * from './run-service.ts';
export * from './sqlite.ts';
export * from './token-verifier.ts';
