import { mount } from '@vue/test-utils';
import { describe, expect, it } from 'vitest';
import { i18n, loadMessages } from '#app/i18n.ts';
import IncidentRows from './IncidentRows.vue';
import type { Incident } from './incidents.store.ts';

const incident = (over: Partial<Incident>): Incident =>
  ({
    id: 'a',
    number: 1042,
    title: 'Door forced',
    severity: 'critical',
    state: 'new',
    area_name: 'Loading dock',
    device_name: 'Dock door',
    event_count: 3,
    late_ms: 0,
    escalation_level: 0,
    test: false,
    opened_at: '2026-11-22T10:00:00.000Z',
    assignee: null,
    acknowledged_by: null,
    resolved_by: null,
    ...over,
  }) as Incident;

async function mountRows(rows: Incident[], mayAct = true) {
  await loadMessages(['app', 'incidents']);
  return mount(IncidentRows, {
    props: { rows, chosenId: undefined, entryId: rows[0]?.id, busy: new Set<string>(), mayAct, label: 'New' },
    global: { plugins: [i18n] },
  });
}

describe('rows of the board', () => {
  it('tell the severity by a word, not by colour alone', async () => {
    const rows = await mountRows([incident({})]);
    expect(rows.text()).toContain('Critical');
    expect(rows.find('svg path').exists()).toBe(true);
  });

  it('say where, how often, and how late', async () => {
    const rows = await mountRows([incident({ late_ms: 600_000, escalation_level: 2 })]);
    expect(rows.text()).toContain('Loading dock');
    expect(rows.text()).toContain('3 events');
    expect(rows.text()).toContain('late by 10 min');
    expect(rows.text()).toContain('escalated 2×');
  });

  it('acknowledge by their button, without choosing the row', async () => {
    const rows = await mountRows([incident({})]);
    await rows.find('button').trigger('click');
    expect(rows.emitted('acknowledge')).toEqual([['a']]);
    expect(rows.emitted('clickRow')).toBeUndefined();
  });

  it('offer nothing to who may only look, or when it is taken', async () => {
    expect((await mountRows([incident({})], false)).find('button').exists()).toBe(false);
    const taken = incident({ state: 'acknowledged', acknowledged_by: { id: 'u', name: 'Jonas Weber' } });
    const rows = await mountRows([taken]);
    expect(rows.find('button').exists()).toBe(false);
    expect(rows.text()).toContain('Jonas Weber');
  });

  it('can be reached with Tab at one row only', async () => {
    const rows = await mountRows([incident({}), incident({ id: 'b' })]);
    expect(rows.findAll('tbody tr').map((row) => row.attributes('tabindex'))).toEqual(['0', '-1']);
  });
});
