/** Dialogs that Kamailio knows (module dialog, `dlg.list`): all calls but those for help, since it was started. */
import { AppError } from '@siphera/runtime';
import { z } from 'zod';
import type { Switch } from '../ground.ts';

/** 1 unconfirmed, 2 early, 3 confirmed without ACK, 4 confirmed; above that it is over and kept for a moment. */
const states = { firstTalking: 3, lastAlive: 4 };
const Dialogs = z.array(
  z.looseObject({ h_entry: z.int(), h_id: z.int(), 'call-id': z.string(), state: z.int() }),
);
export type Dialog = { callId: string; isTalking: boolean; entry: number; id: number };

/** @throws AppError as `rpc`; `unavailable` when its answer cannot be read. */
export async function liveDialogs(kamailio: Pick<Switch, 'rpc'>): Promise<Dialog[]> {
  const read = Dialogs.safeParse(await kamailio.rpc('dlg.list'));
  if (!read.success)
    throw new AppError('unavailable', 'The SIP server gave a list of calls that nobody can read.');
  return read.data
    .filter(({ state }) => state <= states.lastAlive)
    .map((dialog) => ({
      callId: dialog['call-id'],
      isTalking: dialog.state >= states.firstTalking,
      entry: dialog.h_entry,
      id: dialog.h_id,
    }));
}

/**
 * Hangs up on both sides.
 * @throws AppError `conflict` for a call that Kamailio cannot end: one that rings, or of before its start.
 */
export async function endDialog(kamailio: Pick<Switch, 'rpc'>, callId: string): Promise<void> {
  const dialog = (await liveDialogs(kamailio)).find((one) => one.callId === callId);
  if (!dialog)
    throw new AppError('conflict', 'The SIP server was started after this call, and cannot end it.', {
      hint: 'It ends when one of the two hangs up.',
    });
  if (!dialog.isTalking)
    throw new AppError('conflict', 'A call that rings cannot be ended from here.', {
      hint: 'It ends when the caller hangs up or nobody answers.',
    });
  await kamailio.rpc('dlg.end_dlg', [dialog.entry, dialog.id]);
}
