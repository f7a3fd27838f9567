/** Playback and storages for people: handlers over the recorder's footage. */
import { Stills } from './adapters/stills.ts';
import type { Transcoder } from './adapters/transcode.ts';
import type { Ground } from './ground.ts';
import { PlaybackSessions } from './http/playback-sessions.ts';
import { playbackHandlers } from './http/playback.routes.ts';
import { storageHandlers } from './http/storage.routes.ts';
import type { Part } from './part.ts';
import type { Recording } from './recording.part.ts';
import type { SettingsStore } from './store/settings.store.ts';

export type Playback = { stills: Stills; part: Part };

export function createPlayback(
  ground: Ground,
  { recorder }: Recording,
  parts: { settings: Pick<SettingsStore, 'get'>; transcoder: Pick<Transcoder, 'convert'> },
): Playback {
  const { footage } = recorder;
  const stills = new Stills({ ffmpeg: ground.config.FFMPEG, footage, log: ground.log });
  const sessions = new PlaybackSessions(ground.clock, ground.random);
  const part: Part = {
    name: 'playback',
    handlers: {
      ...storageHandlers({ ground, recorder }),
      ...playbackHandlers({ ground, footage, stills, sessions, ...parts }),
    },
    stop: () => undefined,
  };
  return { stills, part };
}
