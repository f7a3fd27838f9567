/** A call in one English line, as it stands in the timeline and in what is sent of it; the console says it in its own words. */
import type { IncidentCall } from '@siphera/contract';
import type { z } from 'zod';

type Call = Pick<z.infer<typeof IncidentCall>, 'media' | 'outcome' | 'duration_ms'> & {
  names: readonly string[];
};

const outcomes = {
  missed: 'not answered',
  declined: 'declined',
  failed: 'failed',
} as const;

export function callWords({ media, outcome, duration_ms, names }: Call): string {
  const what = media === 'video' ? 'Video call' : 'Call';
  const how = outcome === 'answered' ? lengthWords(duration_ms) : outcomes[outcome];
  return `${what} with ${names.join(', ')}: ${how}`;
}

function lengthWords(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
