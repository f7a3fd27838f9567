/** The parts of the engine that need no engine: codecs, boxes, counters, checks. */
export * from './archive.ts';
export * from './bytes.ts';
export * from './device-keys.ts';
export * from './files.ts';
export * from './megolm-index.ts';
export * from './memory-storage.ts';
export * from './public-key.ts';
export * from './recovery.ts';
export * from './sealed-storage.ts';
export * from './sequence.ts';
export * from './statements.ts';
export * from './store-key.ts';
