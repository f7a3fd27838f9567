/**
 * What goes when the queue is full: the oldest events of ordinary classes first, whole segments' worth at a time. Alarms
 * (see `isKept`) go only when nothing else is left and a newer alarm needs the room. What goes is counted, and told to
 * the box before it goes.
 */
import { hasFlag, type QueueRecord, recordFlags, recordHeaderBytes } from '../domain/record.ts';
import { describeSegment, encodeAll, joinRecords, type Segment, withHoles } from './segments.ts';
import { isEvent, loadSegment, type QueueState } from './state.ts';

export type Plan = { segments: Segment[]; bytes: number; missing: number };

/** Room beyond what is needed, so that the gap event never costs more than dropping gains. */
const slackBytes = 1_024;

/** The oldest segments whose ordinary events together free `bytes`; less when there are not as many. */
export async function planOrdinary(state: QueueState, bytes: number): Promise<Plan> {
  const plan: Plan = { segments: [], bytes: -slackBytes, missing: 0 };
  // The newest segment is being written; its events become droppable when it is full.
  for (const segment of state.segments.slice(0, -1)) {
    if (plan.bytes >= bytes) break;
    const records = await loadSegment(state, segment);
    // Holes are written again, so they free nothing.
    const freed = records.filter((record) => isEvent(record) && !isHeld(record, state.committed));
    if (freed.length === 0) continue;
    plan.segments.push(segment);
    plan.bytes += freed.reduce((sum, record) => sum + recordHeaderBytes + record.payload.length, 0);
    plan.missing += freed.filter((record) => record.sequence > state.committed).length;
  }
  return plan;
}

/** Rewrites the planned segments without their ordinary events. */
export async function dropOrdinary(state: QueueState, victims: readonly Segment[]): Promise<void> {
  for (const victim of victims) {
    const records = withHoles(victim, await loadSegment(state, victim), (record) =>
      isHeld(record, state.committed),
    );
    await putBack(state, victim, records);
  }
}

/** The last resort: the oldest segments as they are, alarms and all, until `bytes` are free. */
export async function dropKept(
  state: QueueState,
  bytes: number,
): Promise<{ missing: number; alarms: number; remove: () => Promise<void> }> {
  let [freed, missing, alarms] = [-slackBytes, 0, 0];
  const victims: Segment[] = [];
  for (const segment of state.segments.slice(0, -1)) {
    if (freed >= bytes) break;
    const events = (await loadSegment(state, segment)).filter(
      (record) => record.sequence > state.committed && isEvent(record),
    );
    missing += events.length;
    alarms += events.filter((record) => hasFlag(record, recordFlags.kept)).length;
    freed += segment.bytes;
    victims.push(segment);
  }
  const remove = async () => {
    for (const victim of victims) await removeFirst(state, victim);
  };
  return { missing, alarms, remove };
}

async function putBack(state: QueueState, victim: Segment, records: QueueRecord[]): Promise<void> {
  const { disk, segmentBytes } = state.options;
  const index = state.segments.indexOf(victim);
  const before = state.segments[index - 1];
  const onlyHoles = records.every((record) => !isEvent(record));
  if (!before && onlyHoles) {
    await removeFirst(state, victim);
    return;
  }
  const size = encodeAll(records).length;
  if (before && before.bytes + size <= segmentBytes) {
    // Into the file before it, so that a long time offline leaves few files. A crash between the two steps leaves an
    // overlap, which recovery cuts from the earlier file.
    const joined = joinRecords(await loadSegment(state, before), records);
    await disk.replace(before.name, encodeAll(joined));
    replaceAt(state, index - 1, joined);
    state.segments.splice(index, 1);
    await disk.remove(victim.name);
    return;
  }
  await disk.replace(victim.name, encodeAll(records));
  replaceAt(state, index, records);
}

function replaceAt(state: QueueState, index: number, records: QueueRecord[]): void {
  const old = state.segments[index];
  if (!old) return;
  const segment = describeSegment(old.name, old.first, records);
  delete segment.records;
  state.segments[index] = segment;
}

async function removeFirst(state: QueueState, victim: Segment): Promise<void> {
  await state.options.disk.remove(victim.name);
  state.segments.splice(state.segments.indexOf(victim), 1);
}

const isHeld = (record: QueueRecord, committed: number): boolean =>
  record.sequence > committed && isEvent(record) && hasFlag(record, recordFlags.kept);
