/** What happened in a conversation, in words: who came and went, its name, a call. Pure. */
import type { Message } from '@siphera/talk';
import { elapsed } from '#ui/time-format.ts';

type EventContent = Extract<Message['content'], { t: 'event' }>;
type Words = (key: string, values?: Record<string, string>) => string;

function callText(call: NonNullable<EventContent['call']>, t: Words): string {
  if (call.outcome === 'answered') {
    const key = call.media === 'video' ? 'talk.event.videoAnswered' : 'talk.event.callAnswered';
    return t(key, { time: elapsed(call.durationMs) });
  }
  if (call.outcome === 'missed')
    return t(call.direction === 'in' ? 'talk.event.callMissed' : 'talk.event.callNoAnswer');
  return t(call.outcome === 'declined' ? 'talk.event.callDeclined' : 'talk.event.callFailed');
}

export function eventText(
  content: EventContent,
  who: string,
  { t, locale, nameOf }: { t: Words; locale: string; nameOf: (userId: string) => string },
): string {
  if (content.what === 'call') return content.call ? callText(content.call, t) : content.text;
  const names = new Intl.ListFormat(locale, { type: 'conjunction' }).format(content.userIds.map(nameOf));
  return t(`talk.event.${content.what}`, { who, names, text: content.text });
}
