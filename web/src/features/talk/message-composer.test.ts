import type { Draft } from '@siphera/talk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import MessageComposer from './MessageComposer.vue';
import { keepDraft } from './drafts.ts';
import { aMessage, ids } from './testing/builders.ts';
import { mountTalk } from './testing/mount-talk.ts';

const conversation = `d:${ids.ada}` as const;

async function compose(more: Record<string, unknown> = {}) {
  const heard: { sent: Draft[]; edits: unknown[][]; asked: string[] } = { sent: [], edits: [], asked: [] };
  const wrapper = await mountTalk(MessageComposer, {
    conversation,
    name: 'Ada Lind',
    people: [
      { id: ids.ada, name: 'Ada Lind' },
      { id: ids.bo, name: 'Bo' },
    ],
    nameOf: () => 'Ada Lind',
    onSend: (drafts: Draft[]) => heard.sent.push(...drafts),
    onEdit: (...edit: unknown[]) => heard.edits.push(edit),
    onEditLast: () => heard.asked.push('last'),
    onCancel: () => heard.asked.push('cancel'),
    onLeave: () => heard.asked.push('leave'),
    ...more,
  });
  const field = wrapper.find('textarea');
  const type = async (text: string): Promise<void> => {
    await field.setValue(text);
    field.element.setSelectionRange(text.length, text.length);
    await field.trigger('keyup');
  };
  return { wrapper, field, type, heard };
}

beforeEach(() => {
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
  keepDraft(conversation, '');
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = '';
});

describe('the composer', () => {
  it('sends with Enter and is empty then', async () => {
    const { field, type, heard } = await compose();
    await type(' Gate 2 ');
    await field.trigger('keydown', { key: 'Enter' });
    expect(heard.sent).toEqual([{ body: 'Gate 2' }]);
    expect(field.element.value).toBe('');
  });

  it('sends nothing with Shift+Enter, while a word is being composed, or when there is nothing', async () => {
    const { field, type, heard } = await compose();
    await field.trigger('keydown', { key: 'Enter' });
    await type('one');
    await field.trigger('keydown', { key: 'Enter', shiftKey: true });
    await field.trigger('keydown', { key: 'Enter', isComposing: true });
    expect(heard.sent).toEqual([]);
  });

  it('asks for the last message with Up, when nothing is written', async () => {
    const { field, type, heard } = await compose();
    await field.trigger('keydown', { key: 'ArrowUp' });
    await type('x');
    await field.trigger('keydown', { key: 'ArrowUp' });
    expect(heard.asked).toEqual(['last']);
  });

  it('edits what is given to it, and Escape lets go', async () => {
    const editing = aMessage({ mine: true, content: { t: 'text', body: 'old' } });
    const { field, type, heard } = await compose({ editing });
    await type('new @Bo');
    await field.trigger('keydown', { key: 'Escape' });
    await field.trigger('keydown', { key: 'Escape' });
    expect(heard.asked).toEqual(['cancel']);
    await type('new @Bo ');
    await field.trigger('keydown', { key: 'Enter' });
    expect(heard.edits).toEqual([[editing.id, 'new @Bo', [ids.bo]]]);
    expect(heard.sent).toEqual([]);
  });

  it('completes names and says whom the message names', async () => {
    const { wrapper, field, type, heard } = await compose();
    await type('hey @li');
    expect(wrapper.findAll('[role="option"]').map((one) => one.text())).toEqual(['@Ada Lind']);
    await field.trigger('keydown', { key: 'Enter' });
    expect(heard.sent).toEqual([]);
    expect(field.element.value).toBe('hey @Ada Lind ');
    await field.trigger('keydown', { key: 'Enter' });
    expect(heard.sent).toEqual([{ body: 'hey @Ada Lind', mentions: [ids.ada] }]);
  });

  it('marks one message as to be acknowledged, not the next', async () => {
    const { wrapper, field, type, heard } = await compose();
    await wrapper.find('[aria-label="Must be acknowledged"]').trigger('click');
    await type('Leave the yard');
    await field.trigger('keydown', { key: 'Enter' });
    await type('Thanks');
    await field.trigger('keydown', { key: 'Enter' });
    expect(heard.sent).toEqual([{ body: 'Leave the yard', mustAck: true }, { body: 'Thanks' }]);
  });

  it('says why nothing can be written, and then nothing can', async () => {
    const { wrapper, field, heard } = await compose({ blocked: 'Look at the changed keys' });
    expect(wrapper.text()).toContain('Look at the changed keys');
    expect(field.attributes('disabled')).toBeDefined();
    await wrapper.find('form').trigger('submit');
    expect(heard.sent).toEqual([]);
  });

  it('keeps what was begun for when one comes back', async () => {
    const first = await compose();
    await first.type('half a sent');
    first.wrapper.unmount();
    const second = await compose();
    expect(second.field.element.value).toBe('half a sent');
  });

  it('sends a chosen file under a safe name', async () => {
    const { wrapper, heard } = await compose();
    const chooser = wrapper.find<HTMLInputElement>('input[type="file"]');
    const file = new File(['x'], '../<b>.exe', { type: 'text/html' });
    Object.defineProperty(chooser.element, 'files', { value: [file], configurable: true });
    await chooser.trigger('change');
    await vi.waitFor(() => expect(wrapper.find('.extras').exists()).toBe(true), { timeout: 15_000 });
    await wrapper.find('form').trigger('submit');
    expect(heard.sent.map((draft) => draft.file?.name)).toEqual(['___b_.exe']);
  });
});
