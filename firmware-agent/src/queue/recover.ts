/**
 * Opens what a crash left behind. What must stay true: a record that was synced is either served again under its old
 * sequence, or, when the queue's own memory of itself is damaged, carried into a new stream and the loss counted.
 */
import { z } from 'zod';
import {
  decodeRecords,
  hasFlag,
  holeRecord,
  lastSequence,
  type QueueRecord,
  recordFlags,
} from '../domain/record.ts';
import type { Disk } from './disk.ts';
import { describeSegment, encodeAll, emptySegment, parseSegmentName, type Segment } from './segments.ts';

export const metaName = 'queue.json';
export const markName = 'committed.json';
const temporarySuffix = '.tmp';

const Meta = z.object({ format: z.literal(1), stream: z.string().min(1).max(64) });
const Mark = z.object({ stream: z.string(), committed: z.int().nonnegative() });

export type Recovered =
  | { kind: 'empty' }
  | { kind: 'intact'; stream: string; committed: number; segments: Segment[]; tornBytes: number }
  | {
      kind: 'damaged';
      stream: string;
      reason: string;
      records: QueueRecord[];
      missing: number;
      files: string[];
    };

type Loaded = { name: string; first: number; bytes: number; decoded: ReturnType<typeof decodeRecords> };

/** Reads the directory, repairs a torn tail, removes left-overs of an unfinished change. */
export async function recover(disk: Disk): Promise<Recovered> {
  const names = await disk.list();
  for (const name of names.filter((candidate) => candidate.endsWith(temporarySuffix)))
    await disk.remove(name);
  const meta = parse(Meta, await disk.read(metaName));
  const all = names.flatMap((name) => {
    const parsed = parseSegmentName(name);
    return parsed ? [{ name, ...parsed }] : [];
  });
  if (!meta) {
    if (all.length === 0 && !names.includes(metaName)) return { kind: 'empty' };
    return damaged('unknown', 'the queue file is missing or unreadable', await load(disk, all), 0);
  }
  for (const stray of all.filter((file) => file.stream !== meta.stream)) await disk.remove(stray.name);
  const loaded = await load(
    disk,
    all.filter((file) => file.stream === meta.stream),
  );
  const mark = parse(Mark, await disk.read(markName));
  const committed = mark && mark.stream === meta.stream ? mark.committed : 0;
  const fault = findFault(loaded, committed);
  if (fault) return damaged(meta.stream, fault, loaded, committed);
  return { kind: 'intact', stream: meta.stream, committed, ...(await settle(disk, meta.stream, loaded)) };
}

async function load(disk: Disk, files: { name: string; first: number }[]): Promise<Loaded[]> {
  const sorted = [...files].sort((a, b) => a.first - b.first);
  const loaded: Loaded[] = [];
  for (const { name, first } of sorted) {
    const bytes = (await disk.read(name)) ?? Buffer.alloc(0);
    loaded.push({ name, first, bytes: bytes.length, decoded: decodeRecords(bytes) });
  }
  return loaded;
}

/** Why these files cannot be trusted to be all there was; undefined when they can. */
function findFault(files: readonly Loaded[], committed: number): string | undefined {
  let next: number | undefined;
  for (const [index, file] of files.entries()) {
    const last = index === files.length - 1;
    if (file.decoded.verdict === 'corrupt') return `${file.name} has changed bytes`;
    if (file.decoded.verdict === 'torn' && !last) return `${file.name} ends too early`;
    if (next !== undefined && file.first > next) return `the file before ${file.name} is gone`;
    next = endOf(file, file.first);
    if (next === undefined) return `${file.name} misses records`;
  }
  // Something acknowledged that the files never held: the newest records rotted, and their sequences must not come again.
  if (next !== undefined && committed >= next) return 'records at the end are gone';
  if (next === undefined && committed > 0) return 'all records are gone';
  return undefined;
}

/** The sequence after the last one of a file, or undefined when one is missing inside it. */
function endOf(file: Loaded, first: number): number | undefined {
  let next = first;
  for (const record of file.decoded.records) {
    if (record.sequence !== next) return undefined;
    next = lastSequence(record) + 1;
  }
  return next;
}

/** Cuts the torn tail and the overlap that a crash between two steps of a compaction leaves. */
async function settle(
  disk: Disk,
  stream: string,
  files: Loaded[],
): Promise<{ segments: Segment[]; tornBytes: number }> {
  const segments: Segment[] = [];
  let tornBytes = 0;
  for (const [index, file] of files.entries()) {
    const limit = files[index + 1]?.first ?? Number.MAX_SAFE_INTEGER;
    const overlaps = file.decoded.records.some((record) => lastSequence(record) >= limit);
    const records = overlaps ? cutBefore(file.decoded.records, limit) : file.decoded.records;
    const segment = describeSegment(file.name, file.first, records);
    if (overlaps) await disk.replace(file.name, encodeAll(records));
    else if (segment.bytes !== file.bytes) {
      tornBytes += file.bytes - segment.bytes;
      await disk.truncate(file.name, segment.bytes);
    }
    // Bytes that only the page cache holds, after a kill -9, must not be served before they are on the disk.
    if (index < files.length - 1) delete segment.records;
    else await disk.sync(file.name);
    segments.push(segment);
  }
  await disk.syncNames();
  return { segments: segments.length > 0 ? segments : [emptySegment(stream, 1)], tornBytes };
}

/** Only what lies before `limit`; a hole that reaches over it ends there. */
function cutBefore(records: readonly QueueRecord[], limit: number): QueueRecord[] {
  return records.flatMap((record) => {
    if (record.sequence >= limit) return [];
    return [lastSequence(record) < limit ? record : holeRecord(record.sequence, limit - 1)];
  });
}

function damaged(stream: string, reason: string, files: Loaded[], committed: number): Recovered {
  const records: QueueRecord[] = [];
  let missing = 0;
  let next = Math.max(committed + 1, files[0]?.first ?? 1);
  for (const record of files.flatMap((file) => file.decoded.records)) {
    if (lastSequence(record) <= committed) continue;
    missing += Math.max(0, record.sequence - next);
    next = Math.max(next, lastSequence(record) + 1);
    if (!hasFlag(record, recordFlags.hole)) records.push(record);
  }
  // At least one: something was damaged, and what stood there cannot be known.
  return {
    kind: 'damaged',
    stream,
    reason,
    records,
    missing: Math.max(1, missing),
    files: files.map((file) => file.name),
  };
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer | undefined): T | undefined {
  if (!bytes) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(bytes.toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Half a JSON text: the same as none, and the callers say what none means.
    return undefined;
  }
}
