/** What limits mean at today's rate. Pure: the page turns the kinds into words. */
import type { Result } from '#api/client.ts';

type Retention = Result<'getRetention'>;
export type Policy = Retention['policies'][number];
export type Forecast = Retention['forecast'][number];
export type Meaning =
  { kind: 'nothing' } | { kind: 'days'; days: number } | { kind: 'cut'; days: number; max: number };

export const gigabyte = 1_000_000_000;

/** The limits as they stand in the form, against what came in the last 24 hours. */
export function meaningOf(policy: Policy, forecast: Forecast | undefined): Meaning {
  const rate = forecast?.bytes_per_day ?? 0;
  if (rate <= 0) return { kind: 'nothing' };
  const bySize = policy.bytes_max === null ? Infinity : policy.bytes_max / rate;
  if (bySize < policy.days_max)
    return { kind: 'cut', days: Math.floor(bySize * 10) / 10, max: policy.days_max };
  return { kind: 'days', days: policy.days_max };
}

/** Days until the free disk is full, or undefined when nothing grows. */
export function diskDays(retention: Pick<Retention, 'forecast' | 'disk_free_bytes'>): number | undefined {
  const rate = retention.forecast.reduce((sum, one) => sum + one.bytes_per_day, 0);
  return rate > 0 ? Math.floor(retention.disk_free_bytes / rate) : undefined;
}

/** Classes that a save would keep for a shorter time or in less room. */
export function lessened(before: readonly Policy[], after: readonly Policy[]): Policy['class'][] {
  const old = new Map(before.map((one) => [one.class, one]));
  return after
    .filter((one) => {
      const was = old.get(one.class);
      if (!was) return false;
      return one.days_max < was.days_max || (one.bytes_max ?? Infinity) < (was.bytes_max ?? Infinity);
    })
    .map((one) => one.class);
}
