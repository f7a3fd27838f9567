import type { Message } from '@siphera/talk';
import { afterEach, describe, expect, it } from 'vitest';
import MessageRow from './MessageRow.vue';
import { aConversation, aMessage, ids } from './testing/builders.ts';
import { mountTalk } from './testing/mount-talk.ts';

const hostile = '<img src=x onerror="window.__xss=1"><script>window.__xss=1</script>';
type Options = { message?: Partial<Message>; names?: Record<string, string>; more?: Record<string, unknown> };

const draw = ({ message = {}, names = {}, more = {} }: Options = {}) =>
  mountTalk(MessageRow, {
    message: aMessage(message),
    conversation: aConversation(),
    me: ids.me,
    first: true,
    current: true,
    nameOf: (id: string) => names[id] ?? 'Ada Lind',
    load: () => Promise.reject(new Error('not asked for')),
    ...more,
  });

afterEach(() => {
  document.body.innerHTML = '';
});

describe('a message on the screen', () => {
  it('is text, whatever its writer put into body, name, file and link', async () => {
    const file = { id: ids.bo, bytes: 3, encrypted: {} as never };
    const rows = [
      await draw({ message: { content: { t: 'text', body: hostile } }, names: { [ids.ada]: hostile } }),
      await draw({
        message: { content: { t: 'file', name: hostile, media_type: hostile, file, body: hostile } },
      }),
      await draw({
        message: {
          content: {
            t: 'text',
            body: '',
            links: [{ kind: 'incident', id: ids.bo, label: hostile }],
            reply_to: ids.me,
            mentions: [ids.ada],
          },
        },
        names: { [ids.ada]: hostile },
        more: { quoted: aMessage({ content: { t: 'text', body: hostile } }) },
      }),
      await draw({
        message: { content: { t: 'undecryptable', reason: hostile }, delivery: { failed: hostile } },
      }),
    ];
    expect(rows[0]?.text()).toContain(hostile);
    expect(document.querySelectorAll('img, script, iframe, object, [onerror]')).toHaveLength(0);
    expect((window as { __xss?: number }).__xss).toBeUndefined();
  });

  it('links only to https, opened without a way back to this page', async () => {
    const body = 'https://example.org/a javascript:alert(1) http://example.org data:text/html,x';
    const row = await draw({ message: { content: { t: 'text', body } } });
    const links = row.findAll('a');
    expect(links.map((link) => link.attributes('href'))).toEqual(['https://example.org/a']);
    expect(links[0]?.attributes('rel')).toContain('noopener');
    expect(links[0]?.attributes('target')).toBe('_blank');
  });

  it('leads to incidents and cameras inside the console', async () => {
    const links = [
      { kind: 'incident' as const, id: ids.ada, label: '#7 Door forced' },
      { kind: 'camera' as const, id: ids.bo, label: 'Gate' },
    ];
    const row = await draw({ message: { content: { t: 'text', body: '', links } } });
    expect(row.findAll('a').map((link) => link.attributes('href'))).toEqual([
      `/incidents/${ids.ada}`,
      `/cameras/${ids.bo}`,
    ]);
  });

  it('says plainly what cannot be shown', async () => {
    const texts: [Message['content'], string][] = [
      [{ t: 'deleted' }, 'Message deleted'],
      [{ t: 'undecryptable', reason: 'no key' }, 'cannot be read yet'],
      [{ t: 'newer_version' }, 'newer version'],
    ];
    for (const [content, text] of texts) {
      const row = await draw({ message: { content } });
      expect(row.text()).toContain(text);
      expect(row.findAll('.acts button')).toHaveLength(0);
    }
  });

  it('warns of a device that its owner has not confirmed, and of changed keys', async () => {
    expect((await draw({ message: { senderUnsigned: true } })).text()).toContain('not confirmed');
    expect((await draw({ message: { trust: 'changed' } })).text()).toContain(
      'keys of this person have changed',
    );
    expect((await draw()).text()).not.toContain('confirmed');
  });

  it('can be edited and deleted by its writer alone', async () => {
    const names = async (mine: boolean): Promise<(string | undefined)[]> =>
      (await draw({ message: { mine } })).findAll('.acts button').map((one) => one.attributes('aria-label'));
    expect(await names(true)).toEqual(['Reply', 'Copy', 'Edit', 'Delete']);
    expect(await names(false)).toEqual(['Reply', 'Copy']);
  });
});
