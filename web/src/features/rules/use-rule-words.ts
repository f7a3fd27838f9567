/** A rule in plain words, line by line: when, only if, then. Lists, versions and the form's preview read the same lines. */
import { useI18n } from 'vue-i18n';
import { useDevices } from '#features/devices/devices.store.ts';
import { useEventTypes } from '#features/events/event-types.store.ts';
import { usePeople } from '#features/people/people.store.ts';
import { usePlaces } from '#features/places/places.store.ts';
import { formatValue } from '#features/rules/data-value.ts';
import type {
  Action,
  CallAction,
  CommandAction,
  Condition,
  RuleBody,
  Trigger,
  Window,
} from '#features/rules/rule-draft.ts';
import { duration } from '#ui/time-format.ts';

export type RuleWords = { when: string; conditions: string[]; then: string[] };
/** Names beyond this are counted, not listed. */
const namedMax = 3;

export function useRuleWords() {
  const { t, locale } = useI18n();
  const types = useEventTypes();
  const devices = useDevices();
  const places = usePlaces();
  const people = usePeople();

  const list = (names: readonly string[], type: 'conjunction' | 'disjunction'): string =>
    new Intl.ListFormat(locale.value, { type, style: 'long' }).format(names);
  const named = (names: readonly string[], more: string): string =>
    names.length <= namedMax
      ? list(names, 'disjunction')
      : t('rules.words.more', {
          names: names.slice(0, namedMax).join(', '),
          n: t(more, names.length - namedMax),
        });
  const length = (ms: number): string => duration(ms, locale.value);

  function scope(of: Trigger['scope']): string {
    const parts: string[] = [];
    if (of.device_kinds?.length)
      parts.push(
        t('rules.words.kinds', {
          names: named(
            of.device_kinds.map((kind) => t(`ui.deviceKind.${kind}`)),
            'rules.words.others',
          ),
        }),
      );
    if (of.device_ids?.length)
      parts.push(
        t('rules.words.at', {
          names: named(
            of.device_ids.map((id) => devices.byId.get(id)?.name ?? t('rules.words.goneDevice')),
            'rules.words.others',
          ),
        }),
      );
    if (of.area_ids?.length)
      parts.push(
        t('rules.words.in', {
          names: named(
            of.area_ids.map((id) => places.areaById.get(id)?.name ?? t('rules.words.goneArea')),
            'rules.words.others',
          ),
        }),
      );
    if (of.tags?.length) parts.push(t('rules.words.tagged', { names: list(of.tags, 'conjunction') }));
    return parts.length === 0 ? '' : ` ${parts.join(' ')}`;
  }

  function when(rule: Pick<RuleBody, 'trigger' | 'count'>): string {
    const trigger = rule.trigger as Trigger;
    if (trigger.types.length === 0) return t('rules.words.nothing');
    const what = named(
      trigger.types.map((type) => `“${types.title(type)}”`),
      'rules.words.others',
    );
    if (trigger.kind === 'absence')
      return t('rules.words.absence', { what, scope: scope(trigger.scope), time: length(trigger.for_ms) });
    if (!rule.count) return t('rules.words.event', { what, scope: scope(trigger.scope) });
    const { times, within_ms: within, per } = rule.count;
    return t('rules.words.count', {
      what,
      scope: scope(trigger.scope),
      n: times,
      time: length(within),
      per: t(`rules.per.${per}`),
    });
  }

  const dayName = (day: number): string =>
    new Intl.DateTimeFormat(locale.value, { weekday: 'short', timeZone: 'UTC' }).format(
      Date.UTC(2024, 0, day),
    );
  const windowWords = (window: Window): string =>
    `${dayRange(window.days, dayName)} ${window.from}–${window.to}`;

  function condition(one: Condition): string {
    if (one.kind === 'armed')
      return t('rules.words.armed', {
        states: list(
          one.states.map((state) => t(`ui.armed.${state}`)),
          'disjunction',
        ),
      });
    if (one.kind === 'schedule')
      return t(`rules.words.${one.when}`, { windows: one.windows.map(windowWords).join('; ') });
    return t('rules.words.data', {
      path: one.path,
      op: t(`rules.op.${one.op}`),
      value: formatValue(one.value),
    }).trim();
  }

  function command({ name, args }: CommandAction): string {
    const word = t(`rules.command.${name}`);
    if (name === 'record' && typeof args['seconds'] === 'number')
      return `${word} (${length(args['seconds'] * 1_000)})`;
    if (name === 'goto_preset' && typeof args['preset'] === 'string' && args['preset'] !== '')
      return `${word} “${args['preset']}”`;
    return word;
  }

  function call({ user_ids, group_ids, numbers, say, rounds }: CallAction): string {
    const ids = [...user_ids, ...group_ids];
    const names = ids.map((id) => people.name(id)).filter((name) => name !== undefined);
    const who =
      names.length === ids.length
        ? list([...names, ...numbers], 'conjunction')
        : list([t('rules.words.people', ids.length), ...numbers], 'conjunction');
    if (ids.length + numbers.length === 0) return t('rules.words.callNobody');
    return t('rules.words.call', { who, say, rounds: t('rules.words.rounds', rounds) });
  }

  function action(one: Action): string {
    if (one.kind === 'incident')
      return t('rules.words.incident', {
        severity: t(`ui.severity.${one.severity}`).toLocaleLowerCase(locale.value),
        title: one.title,
      });
    if (one.kind === 'command') {
      const target =
        one.target === 'trigger'
          ? t('rules.words.trigger')
          : (devices.byId.get(one.target)?.name ?? t('rules.words.goneDevice'));
      return t('rules.words.command', { name: command(one), target });
    }
    if (one.kind === 'call') return call(one);
    const channels = list(
      one.channels.map((channel) => t(`rules.channel.${channel}`)),
      'conjunction',
    );
    const ids = [...one.user_ids, ...one.group_ids];
    const names = ids.map((id) => people.name(id)).filter((name) => name !== undefined);
    if (ids.length === 0) return t('rules.words.notify', { channels });
    const who =
      names.length === ids.length ? list(names, 'conjunction') : t('rules.words.people', ids.length);
    return t('rules.words.notifyWho', { channels, who });
  }

  function words(
    rule: Pick<RuleBody, 'trigger' | 'count' | 'conditions' | 'actions' | 'cooldown_ms'>,
  ): RuleWords {
    const conditions = ((rule.conditions ?? []) as Condition[]).map(condition);
    if (rule.cooldown_ms) conditions.push(t('rules.words.cooldown', { time: length(rule.cooldown_ms) }));
    return { when: when(rule), conditions, then: (rule.actions as Action[]).map(action) };
  }

  return {
    words,
    /** Every line of a rule, for the comparison of versions. */
    lines: (rule: RuleBody): string[] => {
      const { when: first, conditions, then } = words(rule);
      return [
        t('rules.words.name', { name: rule.name }),
        ...(rule.description ? [rule.description] : []),
        rule.enabled === false ? t('rules.words.disabled') : t('rules.words.enabled'),
        first,
        ...conditions,
        ...then,
      ];
    },
    ensure: () =>
      Promise.all([types.ensure(), devices.ensure(), places.ensureAreas(), people.ensure()]).then(
        () => undefined,
      ),
  };
}

/** `Mon–Fri`, `Sat, Sun`, `Mon`. */
export function dayRange(days: readonly number[], name: (day: number) => string): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  const first = sorted[0] ?? 1;
  const last = sorted.at(-1) ?? 7;
  const unbroken = last - first + 1 === sorted.length;
  return unbroken && sorted.length > 2 ? `${name(first)}–${name(last)}` : sorted.map(name).join(', ');
}
