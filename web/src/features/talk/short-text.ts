/** A message in one line, for lists and quotes. Pure. */
import type { Message } from '@siphera/talk';
import { safeFileName } from '#features/talk/safe-file.ts';

const charsMax = 140;

export function shortText(message: Pick<Message, 'content'>, t: (key: string) => string): string {
  const { content } = message;
  if (content.t === 'text') return content.body.replace(/\s+/gu, ' ').trim().slice(0, charsMax);
  if (content.t === 'file') {
    if (content.voice) return t('talk.list.voice');
    if (content.media_type.startsWith('image/'))
      return `${t('talk.list.picture')} ${content.body ?? ''}`.trim();
    return safeFileName(content.name);
  }
  if (content.t === 'deleted') return t('talk.list.deleted');
  if (content.t === 'undecryptable') return t('talk.message.undecryptable');
  if (content.t === 'newer_version') return t('talk.message.newer');
  return content.text;
}
