/** What is said in alarm calls and of them. */
import type { AlarmCall } from '@siphera/contract';

export type SpokenLanguage = 'en' | 'de';
/** Longest text that is spoken; a rule's text is at most 400 characters. */
const spokenCharsMax = 800;

const spoken = {
  en: {
    alarm: (say: string) => `Alarm. ${say}. Press 1 to acknowledge, 9 to decline.`,
    acknowledged: 'Acknowledged. Thank you.',
    taken: 'Somebody has acknowledged it already. Thank you.',
  },
  de: {
    alarm: (say: string) => `Alarm. ${say}. Drücken Sie 1, um zu bestätigen, oder 9, um abzulehnen.`,
    acknowledged: 'Bestätigt. Danke.',
    taken: 'Jemand hat schon bestätigt. Danke.',
  },
} as const;

/** Rules are written in the language of the house; the words around them follow it where we have them. */
export const spokenLanguage = (languageOfCountry: string): SpokenLanguage =>
  languageOfCountry === 'de' ? 'de' : 'en';

export const alarmText = (language: SpokenLanguage, say: string): string =>
  spoken[language].alarm(
    say
      .replaceAll(/\p{Cc}+/gu, ' ')
      .trim()
      .replace(/[.!?…\s]+$/, '')
      .slice(0, spokenCharsMax),
  );
export const thanksText = (language: SpokenLanguage, isFirst: boolean): string =>
  isFirst ? spoken[language].acknowledged : spoken[language].taken;

type Outcome = AlarmCall['attempts'][number]['outcome'];
const outcomeWords: Readonly<Record<Outcome, string>> = {
  ringing: 'rings',
  speaking: 'listens',
  acknowledged: 'acknowledged with a key',
  declined: 'declined',
  no_answer: 'did not take it up',
  busy: 'was busy',
  failed: 'could not be called',
  no_key: 'took it up and pressed no key',
};

/** A line of the incident's timeline. */
export function attemptWords(attempt: {
  name: string;
  number: string;
  outcome: Outcome;
  detail: string;
}): string {
  const { name, number, outcome, detail } = attempt;
  const who = number === '' || name === number ? name : `${name} (${number})`;
  const why = outcome === 'failed' && detail !== '' ? `: ${detail}` : '';
  return `Alarm call: ${who} ${outcomeWords[outcome]}${why}`.slice(0, 500);
}
