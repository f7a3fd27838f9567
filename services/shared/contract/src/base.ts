/**
 * The contract without its REST routes and without the descriptions made of them: for threads and agents that serve none,
 * to whom a few megabytes of schemas would only be weight.
 */
export * from './errors.ts';
export * from './event-types.ts';
export * from './events.ts';
export * from './mqtt.ts';
export * from './permissions.ts';
export * from './primitives.ts';
export * from './token.ts';
