/** Footage as the REST API shows it. */
import type { CameraTimeline, Segment, StorageForecast } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { FootageSegment, Timeline } from '../adapters/recorder/footage.ts';
import type { Forecast } from '../domain/forecast.ts';
import type { Span } from '../domain/spans.ts';

const toSpan = (span: Span): { from: string; to: string } => ({
  from: toRfc3339(span.fromMs),
  to: toRfc3339(span.toMs),
});

export const toSegment = (segment: FootageSegment): Segment => ({
  id: segment.id,
  ...toSpan(segment),
  bytes: segment.bytes,
  mime: segment.mime,
  // What every browser plays; some play H.265 too, and know it better than we do.
  playable: segment.video === 'h264',
});

export const toTimeline = (cameraId: string, timeline: Timeline): CameraTimeline => ({
  camera_id: cameraId,
  footage: timeline.footage.map(toSpan),
  motion: timeline.motion.map(toSpan),
  gaps: timeline.gaps.map((gap) => ({ ...toSpan(gap), why: gap.why })),
  locked: timeline.locked.map(toSpan),
  events: timeline.events.map(({ atMs, type, title }) => ({ at: toRfc3339(atMs), type, title })),
  ...(timeline.firstMs === undefined ? {} : { first_at: toRfc3339(timeline.firstMs) }),
  ...(timeline.lastMs === undefined ? {} : { last_at: toRfc3339(timeline.lastMs) }),
});

export const toForecast = (forecast: Forecast): StorageForecast => ({
  bytes_per_day: Math.round(forecast.bytesPerDay),
  room_bytes: Math.round(forecast.roomBytes),
  keeps_days: forecast.keepsDays,
  short: forecast.short.map(({ cameraId, name, promisedDays, keepsDays }) => ({
    camera_id: cameraId,
    name,
    promised_days: promisedDays,
    keeps_days: keepsDays,
  })),
});
