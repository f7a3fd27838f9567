/**
 * The words of a timeline entry in the user's language, where its kind and data tell them; else what the box wrote. What
 * people typed is never touched.
 */
import { useI18n } from 'vue-i18n';
import type { TimelineEntry } from '#features/incidents/incidents.store.ts';

/** What stands after the box's own words, e.g. the note of "Resolved: test. All well." */
export const remainder = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length).replace(/^[.:]\s*/, '') : '';

export function useTimelineText(): (entry: TimelineEntry) => string {
  const { t, te } = useI18n();
  const field = (entry: TimelineEntry, name: string): string => {
    const value = entry.data[name];
    return typeof value === 'string' ? value : '';
  };
  const lines = (...parts: string[]): string => parts.filter((part) => part !== '').join('\n');

  return (entry) => {
    const { text } = entry;
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
