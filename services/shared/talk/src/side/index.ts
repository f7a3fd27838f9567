/** The parts of the engine that need no engine: codecs, boxes, counters, checks. */
export * from './archive.ts';
export * from './bytes.ts';
export * from './files.ts';
export * from './recovery.ts';
export * from './store-key.ts';
