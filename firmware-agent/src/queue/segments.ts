/** What the queue knows in memory about its files: names, runs of held sequences, counts. Pure. */
import {
  encodeRecord,
  hasFlag,
  holeRecord,
  lastSequence,
  type QueueRecord,
  recordFlags,
  recordHeaderBytes,
} from '../domain/record.ts';

/** Sequences `from` to `to`, both held and everything between them too. */
export type Run = { from: number; to: number };
export type Segment = {
  name: string;
  first: number;
  /** The last sequence it covers, `first - 1` while it is empty. */
  last: number;
  bytes: number;
  runs: Run[];
  /** The records themselves: always of the newest segment, of others while they are being read. */
  records?: QueueRecord[];
};

const segmentName = (stream: string, first: number): string =>
  `${stream}.${String(first).padStart(15, '0')}.seg`;

/** Stream and first sequence of a segment's name; undefined when it is another file. */
export function parseSegmentName(name: string): { stream: string; first: number } | undefined {
  const match = /^([\w-]{1,64})\.(\d{15})\.seg$/.exec(name);
  return match?.[1] && match[2] ? { stream: match[1], first: Number(match[2]) } : undefined;
}

export const emptySegment = (stream: string, first: number): Segment => ({
  name: segmentName(stream, first),
  first,
  last: first - 1,
  bytes: 0,
  runs: [],
  records: [],
});

/** Describes a segment by its records, which stay attached. */
export function describeSegment(name: string, first: number, records: QueueRecord[]): Segment {
  const segment: Segment = { name, first, last: first - 1, bytes: 0, runs: [], records: [] };
  for (const record of records) addRecord(segment, record);
  return segment;
}

/** Adds a record that was written at the end of the segment's file. */
export function addRecord(segment: Segment, record: QueueRecord): void {
  segment.records?.push(record);
  segment.bytes += recordHeaderBytes + record.payload.length;
  segment.last = lastSequence(record);
  if (hasFlag(record, recordFlags.hole)) return;
  const run = segment.runs.at(-1);
  if (run && run.to === record.sequence - 1) run.to = record.sequence;
  else segment.runs.push({ from: record.sequence, to: record.sequence });
}

export const encodeAll = (records: readonly QueueRecord[]): Buffer =>
  Buffer.concat(records.map((record) => encodeRecord(record)));

/**
 * The records of a segment without those that `keep` refuses, each run of refused ones as one hole, so that a file that
 * goes missing later cannot be mistaken for events that were dropped on purpose.
 */
export function withHoles(
  segment: Pick<Segment, 'first' | 'last'>,
  records: readonly QueueRecord[],
  keep: (record: QueueRecord) => boolean,
): QueueRecord[] {
  const out: QueueRecord[] = [];
  let cursor = segment.first;
  for (const record of records) {
    if (hasFlag(record, recordFlags.hole) || !keep(record)) continue;
    if (record.sequence > cursor) out.push(holeRecord(cursor, record.sequence - 1));
    out.push(record);
    cursor = record.sequence + 1;
  }
  if (cursor <= segment.last) out.push(holeRecord(cursor, segment.last));
  return out;
}

/** Two neighbouring lists as one; holes that touch become one hole. */
export function joinRecords(left: readonly QueueRecord[], right: readonly QueueRecord[]): QueueRecord[] {
  const end = left.at(-1);
  const start = right[0];
  if (!end || !start || !hasFlag(end, recordFlags.hole) || !hasFlag(start, recordFlags.hole)) {
    return [...left, ...right];
  }
  return [...left.slice(0, -1), holeRecord(end.sequence, lastSequence(start)), ...right.slice(1)];
}
