/** Completion of `@name` while a message is typed, and whom the finished text mentions. */
import { computed, ref, type Ref } from 'vue';
import { messageParts } from '#features/talk/message-parts.ts';

export type Mentionable = { id: string; name: string };

/** The list stays short enough to read at a glance. */
const choicesMax = 6;
/** As the message schema takes it. */
const mentionsMax = 50;
/** `@` at the beginning or after a blank, then up to two words. */
const beginning = /(?:^|\s)@([\p{L}\p{N}_.'’-]*(?: [\p{L}\p{N}_.'’-]*)?)$/u;

export function useMentions(text: Ref<string>, people: () => readonly Mentionable[]) {
  const caret = ref(0);
  const index = ref(0);
  const closed = ref(false);
  const asked = computed(() => beginning.exec(text.value.slice(0, caret.value))?.[1]);
  const choices = computed(() => {
    const typed = asked.value?.toLocaleLowerCase();
    if (typed === undefined || closed.value) return [];
    return people()
      .filter((one) =>
        one.name
          .toLocaleLowerCase()
          .split(' ')
          .some((_, at, words) => words.slice(at).join(' ').startsWith(typed)),
      )
      .slice(0, choicesMax);
  });
  const active = computed(() => choices.value[Math.min(index.value, choices.value.length - 1)]);

  return {
    choices,
    active,
    /** The text changed or the cursor moved. */
    at: (position: number): void => {
      if (position !== caret.value) index.value = 0;
      caret.value = position;
      closed.value = false;
    },
    move: (step: number): void => {
      const { length } = choices.value;
      if (length > 0) index.value = (index.value + step + length) % length;
    },
    close: (): void => {
      closed.value = true;
    },
    /** Puts the name in; answers where the cursor belongs. */
    take: (one: Mentionable): number => {
      const from = caret.value - (asked.value?.length ?? 0);
      text.value = `${text.value.slice(0, from)}${one.name} ${text.value.slice(caret.value)}`;
      caret.value = from + one.name.length + 1;
      closed.value = true;
      return caret.value;
    },
    /** Whom the text names, whether completed or typed by hand. */
    mentioned: (): string[] => {
      const parts = messageParts(text.value, new Map(people().map((one) => [one.id, one.name])));
      const named = parts.flatMap((part) => (part.kind === 'mention' ? [part.userId] : []));
      return [...new Set(named)].slice(0, mentionsMax);
    },
  };
}
