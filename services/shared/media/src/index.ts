/** Janus, for the services that carry media: one connection, mountpoints, viewers. */
export * from './janus-link.ts';
export * from './stream-room.ts';
