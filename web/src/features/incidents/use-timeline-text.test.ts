import { mount } from '@vue/test-utils';
import { afterEach, describe, expect, it } from 'vitest';
import { i18n, loadMessages, setLocale, type Locale } from '#app/i18n.ts';
import type { TimelineEntry } from './incidents.store.ts';
import TimelineList from './TimelineList.vue';
import { remainder } from './use-timeline-text.ts';

const entry = (kind: TimelineEntry['kind'], text: string, data: Record<string, unknown>): TimelineEntry => ({
  id: kind,
  incident_id: 'i',
  seq: 1,
  at: '2026-11-28T10:00:00.000Z',
  kind,
  actor: { kind: 'user', id: 'u', name: 'Gus' },
  text,
  data,
});
const called = (over: Record<string, unknown>): TimelineEntry =>
  entry('call', 'Call with Ada: 1 min 30 s', {
    media: 'voice',
    outcome: 'answered',
    duration_ms: 90_000,
    with: [{ id: 'a', name: 'Ada' }],
    ...over,
  });
async function speak(locale: Locale): Promise<void> {
  await setLocale(locale);
  await loadMessages(['app', 'incidents']);
}
const shown = (...entries: TimelineEntry[]) =>
  mount(TimelineList, { props: { entries }, global: { plugins: [i18n] } });

describe('the words of a timeline entry', () => {
  it('keep the note that a guard typed behind the words of the box', () => {
    expect(remainder('Resolved: test. All well. Door shut.', 'Resolved: test')).toBe('All well. Door shut.');
    expect(remainder('Severity low → high: smoke seen', 'Severity low → high')).toBe('smoke seen');
  });

  it('are all of the box when nobody typed anything', () => {
    expect(remainder('Resolved: test', 'Resolved: test')).toBe('');
  });
});

describe('talk in a timeline', () => {
  afterEach(() => speak('en'));

  it('is said in the language of the console: who was called and how it ended', async () => {
    await speak('en');
    expect(shown(called({})).text()).toContain('Call with Ada: 2 min');
    await speak('de');
    expect(shown(called({ duration_ms: 30_000 })).text()).toContain('Anruf mit Ada: 30 Sek.');
    expect(shown(called({ media: 'video', outcome: 'missed' })).text()).toContain(
      'Videoanruf mit Ada: nicht angenommen',
    );
  });

  it('is what the box wrote where the data are of a box that is newer', async () => {
    await speak('en');
    expect(shown(called({ media: 'hologram' })).text()).toContain('Call with Ada: 1 min 30 s');
  });

  it('that was filed is offered as a download under its own name', async () => {
    await speak('en');
    const page = shown(
      entry('transcript', 'Talk filed: talk-transcript-1.json', {
        attachment_id: 'x',
        name: 'talk-transcript-1.json',
        media_type: 'application/json',
        device_id: 'ABCDEFGHIJ',
      }),
    );
    expect(page.text()).toContain('Talk filed, signed by the device ABCDEFGHIJ');
    const button = page.get('button');
    expect(button.text()).toBe('talk-transcript-1.json');
    expect(button.attributes('aria-label')).toBe('Download talk-transcript-1.json');
  });

  it('says when no phone showed an alarm', async () => {
    await speak('de');
    const data = { push: 'undelivered', name: 'Gus', mailed: false };
    expect(shown(entry('notification', 'x', data)).text()).toContain('kein Telefon hat es gezeigt');
  });
});
