/** A room key in a backup, as Matrix names its parts (C-S API §11.12.3.2); what is in it nobody here can read. */
import { z } from 'zod';

/** A key of Megolm in its envelope has some 700 bytes. */
const sessionDataCharsMax = 8_000;

export const BackupKey = z.object({
  first_message_index: z.int().nonnegative(),
  forwarded_count: z.int().nonnegative(),
  is_verified: z.boolean(),
  session_data: z.looseObject({}).refine((value) => JSON.stringify(value).length <= sessionDataCharsMax, {
    message: `must be at most ${sessionDataCharsMax} characters`,
  }),
});
export type BackupKey = z.infer<typeof BackupKey>;
export type BackupKeyRank = Pick<BackupKey, 'first_message_index' | 'forwarded_count' | 'is_verified'>;

/** Whether a key of the same session is to replace the one that is kept: verified first, then what opens more, then what came straighter. */
export function isBetterKey(next: BackupKeyRank, kept: BackupKeyRank): boolean {
  if (next.is_verified !== kept.is_verified) return next.is_verified;
  if (next.first_message_index !== kept.first_message_index)
    return next.first_message_index < kept.first_message_index;
  return next.forwarded_count < kept.forwarded_count;
}
