/**
 * What a thread needs that serves no HTTP: without express, jose and prom-client. Each thread has a heap of its own, and what
 * it imports lies in it once more.
 */
export * from './app-error.ts';
export * from './clock.ts';
export * from './config.ts';
export { isTooDeep } from './json-depth.ts';
export * from './log.ts';
export * from './random.ts';
export * from './run-service.ts';
export * from './settle-heap.ts';
export * from './sqlite.ts';
