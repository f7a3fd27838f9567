/** Footage as playback, stills and exports read it: what there is, and the bytes of it. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@siphera/runtime';
import { decodeFragments, type TableEntry } from '../../domain/fragment-table.ts';
import type { FootageRun, Gap, KeptFootage } from '../../domain/kept-footage.ts';
import { clampSpan, mergeSpans, type Span } from '../../domain/spans.ts';
import type { SegmentRow } from '../../store/segment.store.ts';
import type { EventMark } from '../../store/mark.store.ts';
import type { RecorderParts } from './parts.ts';

export type FootageSegment = {
  id: number;
  cameraId: string;
  fromMs: number;
  toMs: number;
  bytes: number;
  mime: string;
  video: FootageRun['video'];
  width: number;
  height: number;
};
export type Timeline = {
  footage: Span[];
  motion: Span[];
  gaps: Gap[];
  locked: Span[];
  events: EventMark[];
  firstMs: number | undefined;
  lastMs: number | undefined;
};

/** Joints between segments of one connection are shorter than this; a new connection takes longer. */
const jointMs = 250;
/** Joints that a timeline does not show. */
const shownGapMs = 2_000;
/** Segments read for one answer: a week of a camera that is recorded in pieces of 30 s. */
const segmentsMax = 25_000;
/** Read from the disk at once. */
const readBytes = 1_024 * 1_024;

type Parts = Pick<RecorderParts, 'segments' | 'marks' | 'storages' | 'growing' | 'ground'>;

export class Footage implements KeptFootage {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Oldest first, the growing one included. */
  segments(cameraId: string, fromMs: number, toMs: number): FootageSegment[] {
    const rows = this.#parts.segments.between(cameraId, fromMs, toMs, segmentsMax);
    return rows.map((row) => this.#shown(row)).filter((segment) => segment.toMs > fromMs);
  }

  segment(id: number): FootageSegment | undefined {
    const row = this.#parts.segments.get(id);
    return row && this.#shown(row);
  }

  /**
   * The bytes of a segment: its init, then fragments from the key frame at or before `fromMs` until `toMs`.
   * @throws AppError `not_found` when it is gone; errors of the disk as they are.
   */
  async *open(id: number, fromMs = -Infinity, toMs = Infinity): AsyncGenerator<Buffer> {
    const row = this.#parts.segments.get(id);
    const storage = row && this.#parts.storages.get(row.storage_id);
    if (!row || !storage) throw new AppError('not_found', 'This footage is not there any more.');
    const wanted = fromKeyFrame(this.#entries(row), fromMs).filter((entry) => entry.startMs < toMs);
    const [first] = wanted;
    const last = wanted.at(-1);
    yield* readRange(join(storage.row.path, row.file), [
      { from: 0, to: row.init_bytes },
      ...(first && last ? [{ from: first.offset, to: last.offset + last.bytes }] : []),
    ]);
  }

  /** Init and the key fragment at or before a moment: what a still is made of. Undefined when there is none within the segment. */
  async keyframeAt(cameraId: string, atMs: number): Promise<{ bytes: Buffer; atMs: number } | undefined> {
    const row = this.#parts.segments.before(cameraId, atMs);
    const storage = row && this.#parts.storages.get(row.storage_id);
    if (!row || !storage || this.#shown(row).toMs + shownGapMs < atMs) return undefined;
    const entry = this.#entries(row).findLast((one) => one.key && one.startMs <= Math.max(atMs, row.from_ms));
    if (!entry) return undefined;
    const parts: Buffer[] = [];
    const ranges = [
      { from: 0, to: row.init_bytes },
      { from: entry.offset, to: entry.offset + entry.bytes },
    ];
    for await (const part of readRange(join(storage.row.path, row.file), ranges)) parts.push(part);
    return { bytes: Buffer.concat(parts), atMs: entry.startMs };
  }

  timeline(cameraId: string, fromMs: number, toMs: number): Timeline {
    const { marks, ground } = this.#parts;
    const range = { fromMs, toMs };
    const nowMs = ground.clock.now();
    const bounds = this.bounds(cameraId);
    const clamp = (spans: readonly Span[]): Span[] => mergeSpans(spans).map((span) => clampSpan(span, range));
    return {
      footage: mergeSpans(this.segments(cameraId, fromMs, toMs), shownGapMs).map((span) =>
        clampSpan(span, range),
      ),
      motion: clamp(marks.spans(cameraId, 'motion', range, nowMs)),
      gaps: this.gaps(cameraId, fromMs, toMs),
      locked: clamp(marks.locked(cameraId, range, nowMs)),
      events: marks.events(cameraId, range),
      firstMs: bounds?.fromMs,
      lastMs: bounds?.toMs,
    };
  }

  /** Oldest and newest footage of a camera. */
  bounds(cameraId: string): Span | undefined {
    const range = this.#parts.segments.range(cameraId);
    const growing = [...this.#parts.growing.values()].find((segment) => segment.cameraId === cameraId);
    return range && { fromMs: range.from_ms, toMs: range.to_ms ?? growing?.toMs ?? range.from_ms };
  }

  gaps(cameraId: string, fromMs: number, toMs: number): Gap[] {
    const { marks, ground } = this.#parts;
    return marks
      .gaps(cameraId, { fromMs, toMs }, ground.clock.now())
      .map((gap) => ({ ...clampSpan(gap, { fromMs, toMs }), why: gap.why }));
  }

  runs(cameraId: string, fromMs: number, toMs: number): FootageRun[] {
    const runs: FootageRun[] = [];
    for (const segment of this.segments(cameraId, fromMs, toMs)) {
      const { bytes, startMs, endMs } = this.#within(segment, fromMs, toMs);
      if (bytes === 0) continue;
      const last = runs.at(-1);
      if (
        last &&
        last.mime === segment.mime &&
        last.width === segment.width &&
        follows(last.toMs, segment.fromMs)
      ) {
        last.toMs = endMs;
        last.bytes += bytes;
      } else {
        const { mime, video, width, height } = segment;
        runs.push({ cameraId, fromMs: startMs, toMs: endMs, bytes, video, width, height, mime });
      }
    }
    return runs;
  }

  /**
   * The init once, then the fragments of all its segments: their decode times go on, because one connection made them.
   * @throws AppError `gone` at the end when that was less than the run: a file is shorter, or a segment is gone.
   */
  async *read(run: FootageRun): AsyncGenerator<Buffer> {
    let isFirst = true;
    let missing = run.bytes;
    for (const segment of this.segments(run.cameraId, run.fromMs, run.toMs)) {
      const row = this.#parts.segments.get(segment.id);
      const storage = row && this.#parts.storages.get(row.storage_id);
      if (!row || !storage) throw new AppError('not_found', 'This footage is not there any more.');
      const wanted = fromKeyFrame(this.#entries(row), run.fromMs).filter((entry) => entry.startMs < run.toMs);
      const [first] = wanted;
      const last = wanted.at(-1);
      if (!first || !last) continue;
      const body = { from: first.offset, to: last.offset + last.bytes };
      const ranges = isFirst ? [{ from: 0, to: row.init_bytes }, body] : [body];
      if (isFirst) missing += row.init_bytes;
      isFirst = false;
      for await (const bytes of readRange(join(storage.row.path, row.file), ranges)) {
        missing -= bytes.length;
        yield bytes;
      }
    }
    if (missing > 0)
      throw new AppError('gone', 'Part of this footage is not on its disk any more.', {
        hint: `${missing} of ${run.bytes} bytes are missing.`,
      });
  }

  #within(
    segment: FootageSegment,
    fromMs: number,
    toMs: number,
  ): { bytes: number; startMs: number; endMs: number } {
    const row = this.#parts.segments.get(segment.id);
    const all = row ? this.#entries(row) : [];
    const wanted = fromKeyFrame(all, fromMs).filter((entry) => entry.startMs < toMs);
    const last = wanted.at(-1);
    const after = last && all[all.indexOf(last) + 1];
    return {
      bytes: wanted.reduce((sum, entry) => sum + entry.bytes, 0),
      startMs: wanted[0]?.startMs ?? segment.fromMs,
      endMs: after?.startMs ?? segment.toMs,
    };
  }

  #entries(row: SegmentRow & { fragments?: Buffer }): readonly TableEntry[] {
    const growing = this.#parts.growing.get(row.id);
    if (growing) return growing.entries();
    const table = row.fragments ?? this.#parts.segments.get(row.id)?.fragments;
    return table ? decodeFragments(table, row.from_ms, row.init_bytes) : [];
  }

  #shown(row: SegmentRow): FootageSegment {
    const growing = this.#parts.growing.get(row.id);
    return {
      id: row.id,
      cameraId: row.camera_id,
      fromMs: row.from_ms,
      toMs: growing?.toMs ?? row.to_ms ?? row.from_ms,
      bytes: growing?.bytes ?? row.bytes,
      mime: row.mime,
      video: videoOf(row.mime),
      width: row.width,
      height: row.height,
    };
  }
}

const follows = (endMs: number, startMs: number): boolean => Math.abs(startMs - endMs) <= jointMs;

function videoOf(mime: string): FootageRun['video'] {
  if (mime.includes('avc1') || mime.includes('avc3')) return 'h264';
  return mime.includes('hvc1') || mime.includes('hev1') ? 'h265' : 'other';
}

/** From the key frame at or before a moment on; all of it when the moment lies before. */
function fromKeyFrame(entries: readonly TableEntry[], fromMs: number): readonly TableEntry[] {
  const index = entries.findLastIndex((entry) => entry.key && entry.startMs <= fromMs);
  return index <= 0 ? entries : entries.slice(index);
}

async function* readRange(
  path: string,
  ranges: readonly { from: number; to: number }[],
): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (const { from, to } of ranges) {
      for (let at = from; at < to;) {
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, to - at));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    }
  } finally {
    await file.close();
  }
}
