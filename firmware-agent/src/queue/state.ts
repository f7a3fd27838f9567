/** The queue's state and the steps on it that recovery, overflow and the queue itself share. */
import { AgentError } from '../domain/agent-error.ts';
import { decodeRecords, hasFlag, type QueueRecord, recordFlags } from '../domain/record.ts';
import type { Disk } from './disk.ts';
import { metaName } from './recover.ts';
import { addRecord, describeSegment, emptySegment, encodeAll, type Segment } from './segments.ts';

/** Why events are missing: told to the box in a gap event, and to the log. */
export type Gap = { missing: number; stream: string; reason: 'overflow' | 'damaged'; alarms: number };
export type QueueOptions = {
  disk: Disk;
  /** Bytes on disk at most; one gap event may reach beyond it. */
  bytesMax: number;
  segmentBytes: number;
  newStream: () => string;
  /** The payload of the event that tells the box about a gap. */
  gapPayload: (gap: Gap) => Buffer;
  onGap: (gap: Gap) => void;
  /** The sequences start again at 1 under another stream. */
  onStream: (stream: string, reason: string) => void;
};
export type QueueState = {
  readonly options: QueueOptions;
  stream: string;
  committed: number;
  segments: Segment[];
};

/** A sealed file no longer holds what was synced. */
export class DamagedSegment extends AgentError {
  constructor(name: string) {
    super('queue_failed', `${name} is not what was written`);
  }
}

export const isEvent = (record: QueueRecord): boolean => !hasFlag(record, recordFlags.hole);

/** The records of a segment; one that no longer holds what was synced is a failure, never a shorter list. */
export async function loadSegment(state: QueueState, segment: Segment): Promise<QueueRecord[]> {
  if (segment.records) return segment.records;
  const { records } = decodeRecords((await state.options.disk.read(segment.name)) ?? Buffer.alloc(0));
  const described = describeSegment(segment.name, segment.first, records);
  if (described.last !== segment.last || described.bytes !== segment.bytes) {
    throw new DamagedSegment(segment.name);
  }
  // One sealed segment in memory at a time: the one being read.
  for (const other of state.segments.slice(0, -1)) delete other.records;
  segment.records = records;
  return records;
}

/** Writes the records under a new stream; until `queue.json` names it, the old stream is the one that counts. */
export async function startStream(state: QueueState, records: readonly QueueRecord[]): Promise<void> {
  const { disk, segmentBytes, newStream } = state.options;
  const stream = newStream();
  const segments: Segment[] = [emptySegment(stream, 1)];
  for (const [index, record] of records.entries()) {
    let target = segments.at(-1) ?? emptySegment(stream, 1);
    if (target.bytes >= segmentBytes) {
      target = emptySegment(stream, index + 1);
      segments.push(target);
    }
    addRecord(target, { ...record, sequence: index + 1 });
  }
  for (const segment of segments) {
    if (segment.bytes > 0) await disk.replace(segment.name, encodeAll(segment.records ?? []));
    if (segment !== segments.at(-1)) delete segment.records;
  }
  await disk.replace(metaName, Buffer.from(JSON.stringify({ format: 1, stream })));
  Object.assign(state, { stream, committed: 0, segments });
}

/**
 * Carries every event that is not committed into a new stream, as far as it can be read; what cannot is counted and
 * reported in the new stream.
 */
export async function rebuild(state: QueueState, reason: string): Promise<void> {
  const { disk } = state.options;
  const records: QueueRecord[] = [];
  let missing = 0;
  for (const segment of state.segments) {
    const readable =
      segment.records ?? decodeRecords((await disk.read(segment.name)) ?? Buffer.alloc(0)).records;
    const open = readable.filter((record) => record.sequence > state.committed && isEvent(record));
    missing += heldIn(segment, state.committed) - open.length;
    records.push(...open);
  }
  const gap: Gap = { missing: Math.max(0, missing), stream: state.stream, reason: 'damaged', alarms: 0 };
  const old = state.segments.map((segment) => segment.name);
  await startStream(state, gap.missing > 0 ? [...records, gapRecord(state, gap)] : records);
  for (const name of old) await disk.remove(name);
  if (gap.missing > 0) state.options.onGap(gap);
  state.options.onStream(state.stream, reason);
}

/** The record that tells the box of a gap; its sequence is given when it is written. */
export const gapRecord = (state: QueueState, gap: Gap): QueueRecord => ({
  sequence: 0,
  flags: recordFlags.kept,
  payload: state.options.gapPayload(gap),
});

/** Events of a segment that are not committed. */
export const heldIn = (segment: Segment, committed: number): number =>
  segment.runs.reduce((sum, run) => sum + Math.max(0, run.to - Math.max(run.from, committed + 1) + 1), 0);
