import { mount } from '@vue/test-utils';
import { createPinia } from 'pinia';
import { TooltipProvider } from 'reka-ui';
import { afterEach, describe, expect, it } from 'vitest';
import { defineComponent, h, ref } from 'vue';
import { i18n, loadMessages, setLocale, type Locale } from '#app/i18n.ts';
import ActionFields from './ActionFields.vue';
import RuleSentence from './RuleSentence.vue';
import { emptyDraft, newAction, toBody, type DraftAction } from './rule-draft.ts';

async function open(options: { locale?: Locale; errors?: Record<string, string> } = {}) {
  await setLocale(options.locale ?? 'en');
  await loadMessages(['app', 'rules']);
  const action = ref<DraftAction>(newAction('call'));
  const Host = defineComponent({
    setup: () => () =>
      h(TooltipProvider, () => [
        h(ActionFields, {
          modelValue: action.value,
          path: 'actions.1',
          choices: { procedures: [], escalations: [], webhooks: [] },
          fieldError: (path: string) => options.errors?.[path],
          'onUpdate:modelValue': (next: DraftAction) => {
            action.value = next;
          },
        }),
        h(RuleSentence, { rule: toBody({ ...emptyDraft(), actions: [action.value] }) }),
      ]),
  });
  const page = mount(Host, { global: { plugins: [i18n, createPinia()] } });
  const field = (label: string) => {
    const id = page
      .findAll('label')
      .find((one) => one.text().startsWith(label))
      ?.attributes('for');
    return page.get(`[id="${id ?? ''}"]`);
  };
  return { page, field, body: () => toBody({ ...emptyDraft(), actions: [action.value] }).actions[0] };
}

describe('the action that calls people by phone', () => {
  afterEach(() => setLocale('en'));

  it('is written as it is read', async () => {
    const { page, field, body } = await open();
    expect(page.text()).toContain('call nobody by phone yet');
    await field('What is spoken').setValue('Door forced at {device}');
    await field('Further numbers').setValue('201, +43 1 234 56');
    await field('Rounds').setValue('3');
    await field('Ring each').setValue('20');
    expect(body()).toEqual({
      kind: 'call',
      user_ids: [],
      group_ids: [],
      numbers: ['201', '+43123456'],
      say: 'Door forced at {device}',
      rounds: 3,
      ring_s: 20,
    });
    expect(page.text()).toContain(
      'call 201 and +43123456 by phone and say “Door forced at {device}”, 3 rounds',
    );
  });

  it('says at the field that one of the numbers is none', async () => {
    const { page } = await open({ errors: { 'actions.1.numbers.3': 'must be a number' } });
    expect(page.text()).toContain('At least one of them is no number');
  });

  it('has its words in German', async () => {
    const { page, field } = await open({ locale: 'de' });
    await field('Weitere Nummern').setValue('201');
    expect(page.text()).toContain('201 anrufen');
    expect(page.text()).toContain('2 Runden');
  });
});
