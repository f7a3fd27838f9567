/**
 * What a device reads that has just become its owner's: secrets, rooms, backup, archive. What must stay true: one step that fails, or is
 * refused for its size, keeps none of the others from being done; it alone comes again.
 */
import { TalkRoom } from '@siphera/contract';
import { z } from 'zod';
import { takeOfferedKey } from './archive-key.ts';
import { restoreArchive } from './archiving.ts';
import { applyRoom, learnSigners } from './chain.ts';
import { wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import type { History } from './history.ts';
import { archiveKeyOf, restoreBackup } from './recovery.ts';

const Rooms = z.object({ items: z.array(TalkRoom) });

/** @param retry What waits in a room. @returns whether all came */
export async function catchUp(
  ground: Ground,
  history: History,
  retry: (roomId: string) => Promise<void>,
): Promise<boolean> {
  let all = true;
  const step = async (what: string, work: () => Promise<void>): Promise<void> => {
    if (ground.closed) return;
    try {
      await work();
    } catch (error) {
      all = false;
      ground.place.log('warn', 'talk_later', { what, error: wordsOf(error) });
    }
  };
  await step('secrets', async () => {
    await ground.machine.call((olm) => olm.requestMissingSecretsIfNeeded());
    await takeOfferedKey(ground);
  });
  let rooms: TalkRoom[] = [];
  await step('rooms', async () => {
    rooms = Rooms.parse(await ground.place.rest.call('listRooms')).items;
  });
  await step('backup', () =>
    restoreBackup(
      ground,
      rooms.map((room) => room.id),
    ),
  );
  await step('archive', () => restoreArchive(ground));
  let areSignersKnown = false;
  await step('signers', async () => {
    await learnSigners(ground, rooms);
    areSignersKnown = true;
  });
  for (const room of rooms)
    await step('room', async () => {
      const { id, room: state } = await ground.write((draft) =>
        applyRoom(ground, draft, room, areSignersKnown),
      );
      await retry(room.id);
      if (state && state.oldest === null && !state.wantsHistory && state.lastSeq > 0) await history.older(id);
    });
  // Without the archive's key there is nothing to read yet: it comes over Olm.
  return all && (await archiveKeyOf(ground)) !== undefined;
}
