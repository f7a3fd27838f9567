/** Encrypted files. */
import { AppError } from '@siphera/runtime';
import { Uuid } from '@siphera/contract';
import type { TalkFiles } from '../adapters/keep/talk-files.ts';
import type { TalkHandlers } from '../ground.ts';

export function fileHandlers(
  files: TalkFiles,
): Pick<TalkHandlers, 'uploadTalkFile' | 'getTalkFile' | 'getTalkQuota'> {
  return {
    uploadTalkFile: async ({ caller, query, upload }) => {
      if (!upload) throw new AppError('malformed_body', 'There is no file in the request.');
      const audience = { roomId: query.room_id, userIds: readIds(query.user_ids) };
      return files.upload(caller, audience, upload.bytes);
    },

    getTalkFile: async ({ caller, params, response }) => {
      const { bytes, content } = await files.download(caller, params.id);
      // Whoever breaks off leaves no open file behind.
      response.once('close', () => content.destroy());
      response.setHeader('content-length', String(bytes));
      return { mediaType: 'application/octet-stream', body: content };
    },

    getTalkQuota: async ({ caller }) => files.quota(caller),
  };
}

/** @throws AppError `validation_failed` */
function readIds(text: string | undefined): string[] {
  const ids = (text ?? '').split(',').filter((id) => id !== '');
  if (ids.some((id) => !Uuid.safeParse(id).success))
    throw new AppError('validation_failed', 'user_ids: must be ids of people, separated by commas');
  return ids;
}
