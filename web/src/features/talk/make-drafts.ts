/** What one press of Enter becomes: a text, files, or both. Pure. */
import type { Draft } from '@siphera/talk';

export type Written = {
  body: string;
  replyTo: string | undefined;
  mentions: string[];
  links: NonNullable<Draft['links']>;
  mustAck: boolean;
  files: NonNullable<Draft['file']>[];
};

/**
 * A single file carries the text as its words. Mentions and links belong to text messages alone, so with them, or with several
 * files, the text goes first by itself.
 */
export function makeDrafts(written: Written): Draft[] {
  const { replyTo, mentions, links, mustAck, files } = written;
  const body = written.body.trim();
  const shared = { ...(replyTo === undefined ? {} : { replyTo }), ...(mustAck ? { mustAck } : {}) };
  const needsText = mentions.length > 0 || links.length > 0 || (body !== '' && files.length !== 1);
  const text: Draft[] = needsText
    ? [
        {
          body,
          ...shared,
          ...(mentions.length > 0 ? { mentions } : {}),
          ...(links.length > 0 ? { links } : {}),
        },
      ]
    : [];
  return [
    ...text,
    ...files.map((file, index) => ({
      body: needsText || index > 0 ? '' : body,
      ...(needsText ? {} : shared),
      file,
    })),
  ];
}
