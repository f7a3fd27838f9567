/** A browser's tab as the place of the engine (`TalkPlace`). */
import type { TalkPlace, TalkSocket } from '@siphera/talk';
import { boxTime } from '#app/clock.ts';
import { cryptoStoreName, deleteCryptoStore, storageName } from '#features/talk/place/databases.ts';
import { openDeviceKeep } from '#features/talk/place/device-keep.ts';
import { disarmDevices, endDevices } from '#features/talk/place/end-devices.ts';
import { openIdbStorage } from '#features/talk/place/idb-storage.ts';
import { browserRest } from '#features/talk/place/rest-port.ts';

export type PlaceOptions = {
  userId: string;
  orgId: string;
  sessionId: () => string;
  socket: TalkSocket;
  /** The browser took the tables away: its data was cleared, or the disk failed. */
  storageLost: () => void;
};
export type BrowserPlace = {
  place: TalkPlace;
  /** What was noted (`endings.ts`) opens no more. */
  disarm(): Promise<void>;
  close(): void;
};

/** For the tab that leads alone: it clears what wipes have left, and holds the keep open. */
export async function openBrowserPlace(options: PlaceOptions): Promise<BrowserPlace> {
  const { userId, orgId, sessionId, socket, storageLost } = options;
  await endDevices();
  const keep = await openDeviceKeep();
  const place: TalkPlace = {
    userId,
    orgId,
    sessionId,
    rest: browserRest,
    socket,
    keep: {
      ...keep,
      put: async (user, kept) => {
        // Else a full disk may cost somebody his keys; a browser that asks the person does it at a moment that explains itself.
        await navigator.storage?.persist?.();
        await keep.put(user, kept);
      },
    },
    openStorage: (name) => openIdbStorage(storageName(name), storageLost),
    cryptoStoreName,
    deleteCryptoStore,
    now: boxTime,
    randomUuid: () => crypto.randomUUID(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    log: (level, event, fields) => {
      // eslint-disable-next-line no-console -- a browser has no other log, and the engine puts no secret in it.
      if (level !== 'info') console[level](event, fields ?? {});
    },
  };
  return {
    place,
    disarm: () => disarmDevices(keep),
    close: () => keep.close(),
  };
}
