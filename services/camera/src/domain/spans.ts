/** Spans of time: merged, widened, cut. Ends are exclusive. */
export type Span = { fromMs: number; toMs: number };

/** In order, those closer than `gapMs` made one. */
export function mergeSpans(spans: readonly Span[], gapMs = 0): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last && span.fromMs <= last.toMs + gapMs) last.toMs = Math.max(last.toMs, span.toMs);
    else merged.push({ fromMs: span.fromMs, toMs: span.toMs });
  }
  return merged;
}

export const overlaps = (a: Span, b: Span): boolean => a.fromMs < b.toMs && b.fromMs < a.toMs;

export const clampSpan = (span: Span, range: Span): Span => ({
  fromMs: Math.max(span.fromMs, range.fromMs),
  toMs: Math.min(span.toMs, range.toMs),
});
