import { mount } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';
import { createI18n } from 'vue-i18n';
import { TooltipProvider } from 'reka-ui';
import { defineComponent, h, ref } from 'vue';
import { messages as app } from '#app/messages.en.ts';
import WeekSchedule from './WeekSchedule.vue';
import { messages } from './messages.en.ts';
import type { Window } from './rule-draft.ts';

function open(start: Window[]) {
  const windows = ref(start);
  const Host = defineComponent({
    setup: () => () =>
      h(TooltipProvider, () =>
        h(WeekSchedule, {
          modelValue: windows.value,
          'onUpdate:modelValue': (next: Window[]) => {
            windows.value = next;
          },
        }),
      ),
  });
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: { ...app, ...messages } } });
  return { windows, page: mount(Host, { global: { plugins: [i18n] } }) };
}
const weekdays: Window = { days: [1, 2, 3, 4, 5], from: '18:00', to: '06:00' };

describe('the editor of a weekly schedule', () => {
  it('takes a day out and puts it in, in the order of the week', async () => {
    const { windows, page } = open([weekdays]);
    await page.get('button[aria-label="Sunday"]').trigger('click');
    await page.get('button[aria-label="Monday"]').trigger('click');
    expect(windows.value[0]?.days).toEqual([2, 3, 4, 5, 7]);
    expect(page.get('button[aria-label="Sunday"]').attributes('aria-pressed')).toBe('true');
  });

  it('keeps the last day: hours on no day are no hours', async () => {
    const { windows, page } = open([{ ...weekdays, days: [3] }]);
    await page.get('button[aria-label="Wednesday"]').trigger('click');
    expect(windows.value[0]?.days).toEqual([3]);
  });

  it('says that hours run into the next day', async () => {
    const { windows, page } = open([weekdays]);
    expect(page.text()).toContain('until the next day');
    await page.findAll('input[type="time"]')[1]?.setValue('23:00');
    await page.findAll('input[type="time"]')[1]?.trigger('change');
    expect(windows.value[0]?.to).toBe('23:00');
    expect(page.text()).not.toContain('until the next day');
  });

  it('starts over from a preset without changing the preset', async () => {
    const { windows, page } = open([weekdays]);
    const office = page.findAll('button').find((one) => one.text() === 'Office hours');
    await office?.trigger('click');
    await page.get('button[aria-label="Saturday"]').trigger('click');
    await office?.trigger('click');
    expect(windows.value).toEqual([{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }]);
  });
});
