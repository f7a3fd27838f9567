import { describe, expect, it } from 'vitest';
import { makeDrafts, type Written } from './make-drafts.ts';

const written = (over: Partial<Written>): Written => ({
  body: '',
  replyTo: undefined,
  mentions: [],
  links: [],
  mustAck: false,
  files: [],
  ...over,
});
const file = { blob: new Blob(['x']), name: 'x.pdf' };

describe('what is sent', () => {
  it('is nothing when nothing was written', () => {
    expect(makeDrafts(written({ body: '  \n ' }))).toEqual([]);
  });

  it('is one message for a file with words', () => {
    expect(makeDrafts(written({ body: 'see', files: [file], mustAck: true }))).toEqual([
      { body: 'see', file, mustAck: true },
    ]);
  });

  it('puts mentions and links into a text of their own, which alone must be acknowledged', () => {
    const drafts = makeDrafts(written({ body: '@Ada see', mentions: ['a'], files: [file], mustAck: true }));
    expect(drafts).toEqual([
      { body: '@Ada see', mentions: ['a'], mustAck: true },
      { body: '', file },
    ]);
  });

  it('says the words once for several files', () => {
    expect(makeDrafts(written({ body: 'both', files: [file, file] })).map((draft) => draft.body)).toEqual([
      'both',
      '',
      '',
    ]);
  });

  it('keeps a link without words', () => {
    const links = [{ kind: 'camera' as const, id: 'c', label: 'Gate' }];
    expect(makeDrafts(written({ links }))).toEqual([{ body: '', links }]);
  });
});
