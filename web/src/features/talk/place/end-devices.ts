/** Does what `endings.ts` has noted, and clears what wipes that were cut short have left. */
import { forgetEnding, notedEndings } from '#features/talk/endings.ts';
import { sweepDatabases } from '#features/talk/place/databases.ts';
import { openDeviceKeep, type BrowserKeep } from '#features/talk/place/device-keep.ts';

/** The first and quick half: from here on nobody opens those stores, and what is left of them is noise. */
export async function disarmDevices(keep: BrowserKeep): Promise<void> {
  for (const { userId, ending } of notedEndings())
    if (ending === 'wipe') await keep.forget(userId);
    else await keep.forgetServerShare(userId);
}

/** Safe beside an engine that runs: a device is in the keep before it has any database, and those of devices there are left alone. */
export async function endDevices(): Promise<void> {
  const keep = await openDeviceKeep();
  try {
    const endings = notedEndings();
    await disarmDevices(keep);
    await sweepDatabases(await keep.deviceIds());
    for (const { userId } of endings) forgetEnding(userId);
  } finally {
    keep.close();
  }
}
