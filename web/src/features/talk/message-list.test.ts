import { flushPromises } from '@vue/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import MessageList from './MessageList.vue';
import RecoverySecret from './RecoverySecret.vue';
import { aConversation, aMessage, ids } from './testing/builders.ts';
import { mountTalk } from './testing/mount-talk.ts';

const many = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    aMessage({ id: `m${String(index)}`, at: Date.UTC(2026, 10, 22, 12) + index * 1_000 }),
  );
const draw = (more: Record<string, unknown>) =>
  mountTalk(MessageList, {
    conversation: aConversation(),
    me: ids.me,
    more: false,
    loading: false,
    nameOf: () => 'Ada',
    load: () => Promise.reject(new Error('not asked for')),
    ...more,
  });
afterEach(() => {
  document.body.innerHTML = '';
});

describe('a long conversation', () => {
  it('draws its newest part only, however much is held', async () => {
    const list = await draw({ messages: many(3_000) });
    await flushPromises();
    const drawn = list.findAll('[data-id]').map((row) => row.attributes('data-id'));
    expect(drawn.length).toBeLessThanOrEqual(120);
    expect(drawn.at(-1)).toBe('m2999');
  });

  it('can be reached with Tab at its newest message only, and walked with the arrows', async () => {
    const list = await draw({ messages: many(3) });
    await flushPromises();
    const rows = list.findAll<HTMLElement>('[data-id]');
    expect(rows.map((row) => row.attributes('tabindex'))).toEqual(['-1', '-1', '0']);
    rows[2]?.element.focus();
    await rows[2]?.trigger('keydown', { key: 'ArrowUp' });
    expect((document.activeElement as HTMLElement).dataset['id']).toBe('m1');
  });
});

describe('the recovery secret', () => {
  it('is confirmed only with two groups that are written in it', async () => {
    let confirmed = 0;
    const sheet = await mountTalk(RecoverySecret, {
      secret: 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF',
      onConfirmed: () => (confirmed += 1),
    });
    await sheet.findAll('button').at(-1)?.trigger('click');
    const groups = sheet
      .findAll('label')
      .map(
        (label) => ['AAAA', 'BBBB', 'CCCC', 'DDDD', 'EEEE', 'FFFF'][Number(/\d/.exec(label.text())?.[0]) - 1],
      );
    const fields = sheet.findAll('input');
    expect(fields).toHaveLength(2);
    await fields[0]?.setValue('xxxx');
    await fields[1]?.setValue(groups[1]);
    await sheet.find('form').trigger('submit');
    expect(confirmed).toBe(0);
    expect(sheet.text()).toContain('not what is written');
    await fields[0]?.setValue(groups[0]?.toLowerCase());
    await sheet.find('form').trigger('submit');
    expect(confirmed).toBe(1);
  });
});
