import { flushPromises, mount } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';
import { createI18n } from 'vue-i18n';
import { ApiError } from '#api/problem.ts';
import type { Result } from '#api/client.ts';
import { messages } from '#app/messages.en.ts';
import CsvImport from './CsvImport.vue';

type Report = Result<'importDevices'>;
const good: Report['rows'][number] = { line: 2, action: 'create', name: 'Dock door', errors: [] };
const bad: Report['rows'][number] = {
  line: 3,
  action: 'error',
  name: 'Gate',
  errors: [{ column: 'kind', message: 'must be one of door, reader' }],
};

async function choose(preview: (csv: string) => Promise<Report>, apply = preview) {
  const i18n = createI18n({ legacy: false, locale: 'en', messages: { en: messages } });
  const page = mount(CsvImport, {
    props: { preview, apply, columnsHint: 'name, kind' },
    global: { plugins: [i18n] },
  });
  const input = page.get<HTMLInputElement>('input[type="file"]');
  const file = new File(['name,kind\n'], 'devices.csv', { type: 'text/csv' });
  Object.defineProperty(input.element, 'files', { value: [file] });
  await input.trigger('change');
  await flushPromises();
  await flushPromises();
  return page;
}
const importButton = (page: Awaited<ReturnType<typeof choose>>) =>
  page.findAll('button').find((one) => one.text() === 'Import');

describe('the import of a CSV', () => {
  it('names each bad row by line and column, and does not offer to import', async () => {
    const page = await choose(async () => ({ rows: [good, bad], ok: 1, bad: 1, applied: false }));
    expect(page.text()).toContain('must be one of door, reader');
    expect(page.text()).toContain('1 bad');
    expect(importButton(page)?.attributes('disabled')).toBeDefined();
  });

  it('imports the very text that was looked at', async () => {
    const seen: string[] = [];
    const page = await choose(
      async () => ({ rows: [good], ok: 1, bad: 0, applied: false }),
      async (csv) => {
        seen.push(csv);
        return { rows: [good], ok: 1, bad: 0, applied: true };
      },
    );
    await importButton(page)?.trigger('click');
    await flushPromises();
    expect(seen).toEqual(['name,kind\n']);
    expect(page.emitted('applied')).toHaveLength(1);
  });

  it('says what the box said when it refuses the file', async () => {
    const page = await choose(async () => {
      throw new ApiError({
        code: 'unprocessable',
        status: 422,
        title: 'x',
        detail: 'The header lacks name.',
      });
    });
    expect(page.text()).toContain('The header lacks name.');
  });
});
