/** Secure talk for clients: what is said between devices, and the engine that encrypts and keeps it. Runs in browsers and in Node. */
export * from './api.ts';
export * from './content.ts';
export * from './ports.ts';
export { createTalkEngine, TalkEngine } from './engine/engine.ts';
export type { EngineOptions } from './engine/life.ts';
export { readSecret } from './side/recovery.ts';
export * from './calls/call-machine.ts';
export * from './calls/call-types.ts';
