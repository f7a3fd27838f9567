import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { i18n, loadMessages } from '#app/i18n.ts';
import IncidentAlarmCall from '#features/telephony/IncidentAlarmCall.vue';

const id = '01939f3c-0000-7000-8000-000000000001';
const attempt = { number: '2001', name: 'Gil Guard', at: '2026-11-29T03:00:00.000Z', detail: '' };
const calling = {
  id,
  incident_id: id,
  text: 'Gate forced',
  state: 'calling',
  attempts: [
    { ...attempt, outcome: 'no_answer' },
    { ...attempt, name: 'Ann', outcome: 'ringing' },
  ],
  started_at: '2026-11-29T03:00:00.000Z',
  ended_at: null,
};

/** The box: what it answers, and what it was asked. */
function serve(items: unknown[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (url: string, init?: RequestInit) => {
    asked.push(`${init?.method ?? 'GET'} ${new URL(url, 'https://box.test').pathname}`);
    const body = init?.method === 'POST' ? null : JSON.stringify({ items, feed_seq: 0 });
    const headers = { 'content-type': 'application/json' };
    return Promise.resolve(new Response(body, { status: body === null ? 204 : 200, headers }));
  });
  return asked;
}

async function open(mayAct: boolean) {
  setActivePinia(createPinia());
  await loadMessages(['app', 'telephony']);
  const page = mount(IncidentAlarmCall, { props: { incidentId: id, mayAct }, global: { plugins: [i18n] } });
  await flushPromises();
  return page;
}

describe('people who are rung for an incident', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('are shown one by one with what came of it', async () => {
    serve([calling]);
    const page = await open(false);
    expect(page.text()).toContain('Gate forced');
    expect(page.findAll('li').map((row) => row.text())).toEqual([
      expect.stringMatching(/Gil Guard.*No answer/),
      expect.stringMatching(/Ann.*Rings/),
    ]);
    expect(page.find('button').exists()).toBe(false);
    page.unmount();
  });

  it('are rung no more when a guard says so', async () => {
    const asked = serve([calling]);
    const page = await open(true);
    await page.get('button').trigger('click');
    await flushPromises();
    expect(asked).toContain(`POST /api/v1/sip/alarm-calls/${id}/stop`);
    page.unmount();
  });

  it('leave no trace on an incident for which nobody was rung', async () => {
    serve([]);
    const page = await open(true);
    expect(page.find('section').exists()).toBe(false);
    page.unmount();
  });
});
