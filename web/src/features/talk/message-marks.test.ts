import type { Conversation, Message, Warning } from '@siphera/talk';
import { afterEach, describe, expect, it } from 'vitest';
import ConversationList from './ConversationList.vue';
import DeliveryMark from './DeliveryMark.vue';
import MessageAcks from './MessageAcks.vue';
import RecoverForm from '#features/talk/RecoverForm.vue';
import TalkWarnings from './TalkWarnings.vue';
import { aConversation, aMessage, ids } from './testing/builders.ts';
import { mountTalk } from './testing/mount-talk.ts';

const names: Record<string, string> = { [ids.me]: 'You', [ids.ada]: 'Ada', [ids.bo]: 'Bo' };
const nameOf = (id: string): string => names[id] ?? '?';
afterEach(() => {
  document.body.innerHTML = '';
});

describe('how far a message got', () => {
  const group = aConversation({ kind: 'group', memberIds: [ids.ada, ids.bo] });
  const word = async (
    delivery: Message['delivery'],
    readBy: string[] = [],
    conversation: Conversation = aConversation(),
  ): Promise<string> =>
    (await mountTalk(DeliveryMark, { message: { delivery, readBy }, conversation })).text();

  it('is said in one word each', async () => {
    expect(await word('waiting')).toBe('Waiting to be sent');
    expect(await word('sent')).toBe('Sent');
    expect(await word('delivered')).toBe('Delivered');
    expect(await word('read')).toBe('Read');
  });

  it('counts who has read it in a room, and says when all have', async () => {
    expect(await word('sent', [], group)).toBe('Sent');
    expect(await word('sent', [ids.ada], group)).toBe('Read by 1');
    expect(await word('sent', [ids.ada, ids.bo], group)).toBe('Read');
  });

  it('says why it failed and offers to send it again', async () => {
    let retried = 0;
    const mark = await mountTalk(DeliveryMark, {
      message: { delivery: { failed: 'The box refused it' }, readBy: [] },
      conversation: aConversation(),
      onRetry: () => (retried += 1),
    });
    expect(mark.text()).toContain('The box refused it');
    await mark.find('button').trigger('click');
    expect(retried).toBe(1);
  });
});

describe('a message that must be acknowledged', () => {
  const draw = (message: Partial<Message>, more: Record<string, unknown> = {}) =>
    mountTalk(MessageAcks, {
      message: aMessage({ content: { t: 'text', body: 'Leave the yard', must_ack: true }, ...message }),
      conversation: aConversation({ kind: 'group', memberIds: [ids.ada, ids.bo] }),
      me: ids.me,
      nameOf,
      ...more,
    });

  it('says who has, when, and who has not yet; its writer is not asked', async () => {
    const acks = await draw({ acks: [{ userId: ids.bo, at: Date.UTC(2026, 10, 22, 12, 3) }] });
    expect(acks.text()).toContain('1 of 2 have acknowledged');
    await acks.find('.count').trigger('click');
    const rows = acks.findAll('li').map((row) => row.text());
    expect(rows).toHaveLength(2);
    expect(rows[0]).toContain('Bo');
    expect(acks.find('li time').attributes('datetime')).toBe('2026-11-22T12:03:00.000Z');
    expect(rows[1]).toContain('You');
    expect(rows[1]).toContain('Not yet');
  });

  it('is acknowledged by one click, once', async () => {
    let acknowledged = 0;
    const open = await draw({}, { onAcknowledge: () => (acknowledged += 1) });
    await open
      .findAll('button')
      .find((one) => one.text() === 'Understood')
      ?.trigger('click');
    expect(acknowledged).toBe(1);
    const done = await draw({ acks: [{ userId: ids.me, at: 1 }] });
    expect(done.text()).not.toContain('Understood');
    expect((await draw({ mine: true, senderId: ids.me })).text()).not.toContain('Understood');
  });
});

describe('warnings of a conversation', () => {
  const changed: Warning = { kind: 'keys_changed', userId: ids.ada, wasVerified: true };

  it('say that keys have changed, what it may mean, and what to do', async () => {
    const heard: string[] = [];
    const bar = await mountTalk(TalkWarnings, {
      warnings: [changed],
      nameOf,
      onCompare: (id: string) => heard.push(`compare ${id}`),
      onAccept: (id: string) => heard.push(`accept ${id}`),
    });
    expect(bar.text()).toContain('The keys of Ada have changed');
    expect(bar.text()).toContain('Nothing is sent until you decide');
    expect(bar.text()).toContain('You had compared these keys before');
    expect(bar.find('[role="alert"]').exists()).toBe(true);
    for (const button of bar.findAll('button')) await button.trigger('click');
    expect(heard).toEqual([`compare ${ids.ada}`, `accept ${ids.ada}`]);
  });

  it('offer no acceptance of my own keys, which are brought back instead', async () => {
    const bar = await mountTalk(TalkWarnings, {
      warnings: [{ ...changed, userId: ids.me }],
      nameOf,
      me: ids.me,
    });
    expect(bar.text()).toContain('Your own keys have changed');
    expect(bar.text()).toContain('tell your administrator');
    expect(bar.findAll('button')).toHaveLength(0);
    const form = { busy: false, offline: false };
    const recover = await mountTalk(RecoverForm, { ...form, changed: true });
    expect(recover.find('[role="alert"]').text()).toContain('Your own keys have changed');
    expect((await mountTalk(RecoverForm, form)).find('[role="alert"]').exists()).toBe(false);
  });

  it('put the worst first and say each thing of a person once', async () => {
    const gap: Warning = { kind: 'gap', userId: ids.bo, deviceId: 'ABCDEFGHIJ', missing: 2 };
    const bar = await mountTalk(TalkWarnings, {
      warnings: [
        gap,
        { ...gap, deviceId: 'KLMNOPQRST' },
        changed,
        { kind: 'membership_forged', userIds: [ids.bo] },
      ],
      nameOf,
    });
    const titles = bar.findAll('strong').map((one) => one.text());
    expect(titles).toEqual([
      'The keys of Ada have changed',
      'The list of members does not agree with what members signed',
      'Messages of Bo are missing',
    ]);
  });

  it('leave out old devices of a person whose keys have changed', async () => {
    const unsigned: Warning = { kind: 'device_unsigned', userId: ids.ada, deviceId: 'ABCDEFGHIJ' };
    const titles = async (warnings: Warning[]): Promise<string[]> =>
      (await mountTalk(TalkWarnings, { warnings, nameOf })).findAll('strong').map((one) => one.text());
    expect(await titles([unsigned, changed])).toEqual(['The keys of Ada have changed']);
    expect(await titles([unsigned])).toEqual(['Ada has a device that is not confirmed']);
  });

  it('take no room when there is nothing to look at', async () => {
    expect((await mountTalk(TalkWarnings, { warnings: [], nameOf })).find('.warnings').exists()).toBe(false);
  });
});

describe('the list of conversations', () => {
  it('tells what is unread, what must be acknowledged, and where keys changed', async () => {
    const list = await mountTalk(ConversationList, {
      conversations: [
        aConversation({
          unread: 120,
          toAck: 1,
          warnings: [{ kind: 'keys_changed', userId: ids.ada, wasVerified: false }],
          lastMessage: aMessage({ content: { t: 'text', body: '<b>Gate</b>' } }),
        }),
      ],
      nameOf,
      nameOfConversation: () => 'Ada',
      presenceOf: () => 'duty',
    });
    expect(list.text()).toContain('99+');
    expect(list.text()).toContain('1 to acknowledge');
    expect(list.text()).toContain('<b>Gate</b>');
    expect(list.text()).toContain('On duty');
    expect(list.find('[aria-label="Needs a look"]').exists()).toBe(true);
    expect(list.find('b').exists()).toBe(false);
  });
});
