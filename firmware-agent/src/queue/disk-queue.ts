/**
 * The queue on disk: what the agent accepted survives kill -9 and a power cut, and leaves in order.
 *
 * Sync policy: an event counts as accepted after `fdatasync` of the segment that holds it (and `fsync` of the directory
 * when the segment is new). Events that arrive while a sync runs share the next one.
 *
 * What must stay true: a sequence is given to one event only; a sequence is served only after it was synced; nothing
 * leaves the disk before it is committed, or dropped by the overflow policy, or carried into a new stream, and both of
 * the latter are told to the box by a `system.stream_gap` event.
 */
import { AgentError } from '../domain/agent-error.ts';
import { type QueueRecord, recordFlags, recordHeaderBytes } from '../domain/record.ts';
import { dropKept, dropOrdinary, planOrdinary } from './overflow.ts';
import { markName, recover } from './recover.ts';
import { addRecord, emptySegment, encodeAll, type Segment } from './segments.ts';
import {
  DamagedSegment,
  type Gap,
  gapRecord,
  heldIn,
  loadSegment,
  type QueueOptions,
  type QueueState,
  rebuild,
  startStream,
} from './state.ts';

/** Appends waiting for the disk. Beyond it the caller must wait: memory stays bounded when the disk is slow. */
const pendingMax = 4_096;
/** Records in one write: enough to share a sync, short enough that one write stays far below a second on flash. */
const batchRecordsMax = 512;
/** Commits between two marks on the disk: what a restart sends once more at most, and the box knows already. */
const markEvery = 256;

export type Entry = { payload: Buffer; kept: boolean };
type Pending = Entry & { resolve: (sequence: number) => void; reject: (error: unknown) => void };

export class DiskQueue {
  readonly #state: QueueState;
  readonly #pending: Pending[] = [];
  #chain: Promise<void> = Promise.resolve();
  #draining = false;
  #closed = false;
  /** The file holds bytes beyond what counts: nothing is written before they are cut off. */
  #needsRepair = false;
  #marking = false;
  #marked = 0;
  #dropped = 0;

  constructor(state: QueueState) {
    this.#state = state;
  }

  get stream(): string {
    return this.#state.stream;
  }
  get committed(): number {
    return this.#state.committed;
  }
  /** The newest sequence given so far, 0 when none was. */
  get last(): number {
    return this.#newest().last;
  }
  /** The lowest sequence still held; the next one to come when none is. */
  get floor(): number {
    for (const segment of this.#state.segments) {
      for (const run of segment.runs) {
        if (run.to > this.#state.committed) return Math.max(run.from, this.#state.committed + 1);
      }
    }
    return this.last + 1;
  }
  get bytes(): number {
    return this.#state.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }
  /** Events held that the box has not committed. */
  get held(): number {
    const { segments, committed } = this.#state;
    return segments.reduce((sum, segment) => sum + heldIn(segment, committed), 0);
  }
  /** Events dropped since the start because the queue was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps an event. Resolves with its sequence once it would survive a power cut. */
  append(entry: Entry): Promise<number> {
    if (this.#closed) return Promise.reject(new AgentError('queue_closed', 'The agent is stopping'));
    if (this.#pending.length >= pendingMax) {
      return Promise.reject(
        new AgentError('queue_busy', 'The disk is slower than the events; send again later'),
      );
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ ...entry, resolve, reject });
      this.#drain();
    });
  }

  /**
   * The records from `from` on, as far as they follow each other without a hole, at most `max`. Empty at a hole: what
   * lies behind it may be sent only when everything before it is committed, because the box takes a gap only at the floor.
   */
  async read(from: number, max: number): Promise<QueueRecord[]> {
    const newest = this.#newest();
    if (from >= newest.first) return slice(newest, newest.records ?? [], from, max);
    return await this.#serial(() =>
      this.#healed(async () => {
        const segment = this.#state.segments.find((candidate) => candidate.last >= from);
        return segment ? slice(segment, await loadSegment(this.#state, segment), from, max) : [];
      }),
    );
  }

  /** Everything up to `sequence` is durable in the box: it may go. */
  commit(sequence: number): void {
    if (sequence <= this.#state.committed || sequence > this.last) return;
    this.#state.committed = sequence;
    const [oldest] = this.#state.segments;
    const whole = this.#state.segments.length > 1 && (oldest?.last ?? 0) <= sequence;
    if (this.#marking || (!whole && sequence - this.#marked < markEvery)) return;
    this.#marking = true;
    void this.#serial(async () => {
      this.#marking = false;
      await this.#forget();
    }).catch(() => {
      // A file that cannot be removed now is removed after a later commit; the bytes it holds still count.
    });
  }

  /** Carries everything held into a new stream, where sequences start at 1. */
  restream(reason: string): Promise<void> {
    this.#marked = 0;
    return this.#serial(() => rebuild(this.#state, reason));
  }

  /** Writes what waits, then lets go of the files. */
  async close(): Promise<void> {
    this.#closed = true;
    for (let rounds = 0; this.#draining && rounds < pendingMax; rounds += 1) await this.#chain;
    await this.#chain;
    await this.#writeMark();
    await this.#state.options.disk.close();
  }

  #newest(): Segment {
    const newest = this.#state.segments.at(-1);
    if (!newest) throw new AgentError('queue_failed', 'The queue has no segment');
    return newest;
  }

  #serial<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#chain.then(step);
    // The chain itself never fails: each step's own caller hears of its failure.
    this.#chain = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    const round = async (): Promise<void> => {
      const batch = this.#pending.splice(0, batchRecordsMax);
      try {
        await this.#healed(() => this.#writeBatch(batch));
      } catch (cause) {
        const error = cause instanceof AgentError ? cause : writeFailed(cause);
        for (const entry of batch) entry.reject(error);
      }
      this.#draining = false;
      if (this.#pending.length > 0) this.#drain();
    };
    void this.#serial(round);
  }

  async #writeBatch(batch: readonly Pending[]): Promise<void> {
    await this.#repair();
    const accepted = await this.#makeRoom(batch);
    if (accepted.length === 0) return;
    const sequences = await this.#write(accepted);
    for (const [index, entry] of accepted.entries()) entry.resolve(sequences[index] ?? 0);
  }

  /** Appends and syncs; on failure the file is cut back, or marked as needing it. */
  async #write(entries: readonly Entry[]): Promise<number[]> {
    const { disk } = this.#state.options;
    const newest = this.#newest();
    const full = newest.bytes >= this.#state.options.segmentBytes;
    const target = full ? emptySegment(this.#state.stream, newest.last + 1) : newest;
    const records = entries.map((entry, index) => ({
      sequence: target.last + 1 + index,
      flags: entry.kept ? recordFlags.kept : recordFlags.ordinary,
      payload: entry.payload,
    }));
    const isNew = target.bytes === 0;
    try {
      await disk.append(target.name, encodeAll(records));
      await disk.sync(target.name);
      if (isNew) await disk.syncNames();
    } catch (error) {
      if (full) await disk.remove(target.name).catch(() => this.#mustRepair(target));
      else this.#needsRepair = true;
      throw error;
    }
    for (const record of records) addRecord(target, record);
    if (full) {
      delete newest.records;
      this.#state.segments.push(target);
    }
    return records.map((record) => record.sequence);
  }

  #mustRepair(target: Segment): void {
    this.#state.segments.push(target);
    this.#needsRepair = true;
  }

  async #repair(): Promise<void> {
    if (!this.#needsRepair) return;
    await this.#state.options.disk.truncate(this.#newest().name, this.#newest().bytes);
    this.#needsRepair = false;
  }

  /** The entries of the batch for which there is room, after the overflow policy made what room it may. */
  async #makeRoom(batch: readonly Pending[]): Promise<readonly Pending[]> {
    const { bytesMax, segmentBytes } = this.#state.options;
    const over = this.bytes + sizeOf(batch) - bytesMax;
    if (over <= 0) return batch;
    const victims = await planOrdinary(this.#state, Math.max(over, segmentBytes));
    if (victims.bytes >= over) {
      await this.#drop({ ...victims, alarms: 0 }, () => dropOrdinary(this.#state, victims.segments));
      return batch;
    }
    const kept = batch.filter((entry) => entry.kept);
    for (const entry of batch) {
      if (!entry.kept)
        entry.reject(new AgentError('queue_full', 'The queue is full of alarms; the event was refused'));
    }
    const keptOver = this.bytes + sizeOf(kept) - bytesMax;
    if (keptOver <= 0) return kept;
    const oldest = await dropKept(this.#state, keptOver);
    await this.#drop(oldest, oldest.remove);
    return kept;
  }

  /** The gap is on disk before the events are gone: a crash in between tells of too many, never of too few. */
  async #drop(loss: { missing: number; alarms: number }, remove: () => Promise<void>): Promise<void> {
    const { missing, alarms } = loss;
    if (missing > 0) {
      const gap: Gap = { missing, alarms, stream: this.#state.stream, reason: 'overflow' };
      await this.#write([{ payload: gapRecord(this.#state, gap).payload, kept: true }]);
      this.#dropped += missing;
      this.#state.options.onGap(gap);
    }
    await remove();
  }

  /** Runs a step; when it meets a damaged file, what can be read moves to a new stream and the step runs once more. */
  async #healed<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof DamagedSegment)) throw error;
      this.#marked = 0;
      await rebuild(this.#state, error.message);
      return await step();
    }
  }

  async #forget(): Promise<void> {
    const { segments, committed } = this.#state;
    // The newest file stays even when all of it is committed: its name carries the sequence that comes next.
    while (segments.length > 1 && (segments[0]?.last ?? 0) <= committed) {
      const [gone] = segments.splice(0, 1);
      if (gone) await this.#state.options.disk.remove(gone.name);
    }
    await this.#writeMark();
  }

  /** Only spares the box duplicates after a restart; a lost mark loses nothing. */
  async #writeMark(): Promise<void> {
    const { stream, committed, options } = this.#state;
    this.#marked = committed;
    await options.disk.write(markName, Buffer.from(JSON.stringify({ stream, committed })));
  }
}

/** Opens the queue of a directory and repairs what a crash left. */
export async function openQueue(options: QueueOptions): Promise<DiskQueue> {
  const found = await recover(options.disk);
  const state: QueueState = { options, stream: '', committed: 0, segments: [] };
  if (found.kind === 'intact') {
    Object.assign(state, { stream: found.stream, committed: found.committed, segments: found.segments });
    return new DiskQueue(state);
  }
  if (found.kind === 'empty') {
    await startStream(state, []);
    return new DiskQueue(state);
  }
  const gap: Gap = { missing: found.missing, stream: found.stream, reason: 'damaged', alarms: 0 };
  await startStream(state, [...found.records, gapRecord(state, gap)]);
  for (const name of found.files) await options.disk.remove(name);
  options.onGap(gap);
  options.onStream(state.stream, found.reason);
  return new DiskQueue(state);
}

function slice(segment: Segment, records: readonly QueueRecord[], from: number, max: number): QueueRecord[] {
  const run = segment.runs.find((candidate) => candidate.from <= from && from <= candidate.to);
  if (!run) return [];
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle]?.sequence ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return records.slice(low, low + Math.min(max, run.to - from + 1));
}

const sizeOf = (entries: readonly Entry[]): number =>
  entries.reduce((sum, entry) => sum + recordHeaderBytes + entry.payload.length, 0);
const writeFailed = (cause: unknown): AgentError =>
  new AgentError('queue_failed', 'The disk refused the event; it was not accepted', cause);
