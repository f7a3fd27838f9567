/** Talk in this tab, put together: the one module that pages fetch when talk is opened, and nothing of it before. */
import { createTalkEngine } from '@siphera/talk';
import type { TalkWire } from '#api/talk-wire.ts';
import { finishEndings, noteEnding } from '#features/talk/endings.ts';
import { openBrowserPlace } from '#features/talk/place/browser-place.ts';
import {
  TalkTabs,
  type TabEvents,
  type TabMessage,
  type TabWorld,
  type TalkEngineHere,
} from '#features/talk/place/tabs.ts';
import type { PersonPresence } from '#features/talk/talk.store.ts';

export type OpenOptions = TabEvents & {
  userId: string;
  orgId: string;
  sessionId: () => string;
  socket: TalkWire;
};

/** Joins the tabs of this person. @throws Error in a browser without locks over tabs, or on a page that is not secure */
export function openTalkTabs(options: OpenOptions): TalkTabs {
  const name = `siphera-talk:${options.userId}`;
  // A page over plain HTTP has neither, whatever its types say.
  if (!('locks' in navigator) || !('subtle' in crypto))
    throw new Error('Talk needs a secure page (HTTPS) and a browser of today');
  const channel = new BroadcastChannel(name);
  const world: TabWorld = {
    lockName: name,
    locks: navigator.locks,
    channel: {
      post: (message) => channel.postMessage(message),
      hear: (run) =>
        channel.addEventListener('message', (event: MessageEvent<TabMessage>) => run(event.data)),
      close: () => channel.close(),
    },
    openEngine: (presence, lost) => openEngine(options, presence, lost),
    randomUuid: () => crypto.randomUUID(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  const tabs = new TalkTabs(world, options);
  tabs.start();
  return tabs;
}

async function openEngine(
  { userId, orgId, sessionId, socket }: OpenOptions,
  presence: (changed: PersonPresence[]) => void,
  lost: () => void,
): Promise<TalkEngineHere> {
  const here = await openBrowserPlace({
    userId,
    orgId,
    sessionId,
    socket,
    storageLost: () => {
      here.place.log('error', 'talk_storage_lost');
      lost();
    },
  });
  const stops = [
    socket.on('presence', presence),
    socket.on('talkGone', ({ reason }) => {
      // A removal ends the session too, and the page may be gone before the engine has wiped.
      if (reason === 'removed') noteEnding(userId, 'wipe');
    }),
  ];
  try {
    const api = await createTalkEngine(here.place);
    return {
      api,
      end: async (reason) => {
        for (const stop of stops) stop();
        if (reason === 'revoked') noteEnding(userId, 'lock');
        await here.disarm();
        await api.close();
        here.close();
        await finishEndings();
      },
    };
  } catch (cause) {
    for (const stop of stops) stop();
    here.close();
    throw cause;
  }
}
