/**
 * The words of a timeline entry in the user's language, where its kind and data tell them; else what the box wrote. What
 * people typed is never touched.
 */
import { useI18n } from 'vue-i18n';
import type { TimelineEntry } from '#features/incidents/incidents.store.ts';
import { duration } from '#ui/time-format.ts';

/** What stands after the box's own words, e.g. the note of "Resolved: test. All well." */
export const remainder = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length).replace(/^[.:]\s*/, '') : '';

function nameOf(person: unknown): string {
  const { name } = (person ?? {}) as { name?: unknown };
  return typeof name === 'string' ? name : '';
}

export function useTimelineText(): (entry: TimelineEntry) => string {
  const { t, te, locale } = useI18n();
  const field = (entry: TimelineEntry, name: string): string => {
    const value = entry.data[name];
    return typeof value === 'string' ? value : '';
  };
  const lines = (...parts: string[]): string => parts.filter((part) => part !== '').join('\n');

  /** Who was called, how long it took or how it ended. */
  const call = (entry: TimelineEntry): string | undefined => {
    const [media, outcome] = [field(entry, 'media'), field(entry, 'outcome')];
    const { with: people, duration_ms: ms } = entry.data;
    if (!te(`incidents.timeline.call.${media}`) || !Array.isArray(people) || typeof ms !== 'number')
      return undefined;
    const names = people.map(nameOf).join(', ');
    const ended = `incidents.timeline.callEnd.${outcome}`;
    const how = te(ended) ? t(ended) : duration(ms, locale.value);
    return t(`incidents.timeline.call.${media}`, { names, how });
  };
  const notice = (entry: TimelineEntry): string | undefined => {
    if (entry.data['push'] !== 'undelivered') return undefined;
    const way = entry.data['mailed'] === true ? 'mailed' : 'noMail';
    return t(`incidents.timeline.notShown.${way}`, { name: field(entry, 'name') });
  };

  return (entry) => {
    const { text } = entry;
    if (entry.kind === 'call') return call(entry) ?? text;
    if (entry.kind === 'notification') return notice(entry) ?? text;
    if (entry.kind === 'transcript')
      return t('incidents.timeline.talkFiled', { device: field(entry, 'device_id') });
    if (entry.kind === 'acknowledged' || entry.kind === 'closed') return t(`incidents.state.${entry.kind}`);
    if (entry.kind === 'resolved') {
      const code = field(entry, 'code');
      if (!te(`incidents.resolve.codes.${code}`)) return text;
      const words = t('incidents.timeline.resolvedAs', { code: t(`incidents.resolve.codes.${code}`) });
      return lines(words, remainder(text, `Resolved: ${code}`));
    }
    if (entry.kind === 'severity') {
      const [from, to] = [field(entry, 'from'), field(entry, 'to')];
      if (!te(`ui.severity.${from}`) || !te(`ui.severity.${to}`)) return text;
      const words = t('incidents.timeline.severity', {
        from: t(`ui.severity.${from}`),
        to: t(`ui.severity.${to}`),
      });
      return lines(words, remainder(text, `Severity ${from} → ${to}`));
    }
    return text;
  };
}
