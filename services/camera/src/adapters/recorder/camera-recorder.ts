/**
 * Records one camera: fragments → segment files on a storage, durable one by one. What must stay true: a segment begins with
 * a key frame and holds one init; a disk that fails ends the segment with what is durable, and the next key frame goes elsewhere.
 */
import type { Fragment, InitSegment } from '../../domain/media.ts';
import { toRfc3339 } from '@siphera/runtime';
import { errorCode } from './files.ts';
import { GapWatch } from './gap-watch.ts';
import type { RecorderParts } from './parts.ts';
import { SegmentFile, segmentPath, type SegmentParts } from './segment-file.ts';

/** A segment ends with the first key frame after this. */
const segmentMs = 30_000;
/** Bytes of one camera, and of all, that wait for a slow disk; beyond it they are dropped up to a key frame, and it is said. */
const waitingBytesMax = 32 * 1_024 * 1_024;
const allWaitingBytesMax = 256 * 1_024 * 1_024;
/** Names tried for one segment: each start of this recorder may have taken one. */
const namesMax = 16;

type Item = { kind: 'fragment'; fragment: Fragment; init: InitSegment } | { kind: 'lost'; reason: string };

export class CameraRecorder {
  readonly #parts: RecorderParts;
  readonly #cameraId: string;
  readonly gaps: GapWatch;
  #end: (() => void) | undefined;
  #init: InitSegment | undefined;
  #items: Item[] = [];
  #waitingBytes = 0;
  #working: Promise<void> | undefined;
  #segment: SegmentFile | undefined;
  /** Ended by a failed disk: what is written again elsewhere is cut off it. */
  #broken: SegmentFile | undefined;
  #dropping = false;
  #attempt = 0;

  /** `fresh`: recording was switched on just now, so that nothing before it is missing. */
  constructor(parts: RecorderParts, cameraId: string, fresh: boolean) {
    this.#parts = parts;
    this.#cameraId = cameraId;
    this.gaps = new GapWatch(parts, cameraId, fresh);
  }

  start(): void {
    this.#listen(true);
  }

  /** Looks for a gap. A write that hangs gives no reason, but what is known of its disk is one. */
  look(idle: boolean): void {
    const storage = this.#segment?.storage ?? this.#storageUnderWay;
    if (this.#working && storage?.trouble) this.gaps.because(storage.trouble.problem);
    this.gaps.look(idle);
  }

  /** Writes what waits and closes the segment. */
  async stop(reason: string | undefined): Promise<void> {
    this.#end?.();
    this.#end = undefined;
    await this.#working;
    await this.#close();
    if (reason !== undefined) this.gaps.switchedOff(reason);
  }

  #listen(fromKey: boolean): void {
    this.#end?.();
    this.#end = this.#parts.streams.listen(
      { cameraId: this.#cameraId, role: 'main' },
      {
        init: (init) => {
          this.#init = init;
        },
        fragment: (fragment) => this.#take(fragment),
        lost: (reason) => this.#push({ kind: 'lost', reason }),
      },
      { fromKey },
    );
  }

  #take(fragment: Fragment): void {
    if (!this.#init) return;
    const { waiting } = this.#parts;
    if (this.#dropping && !fragment.key) return;
    const isTooMuch = this.#waitingBytes > waitingBytesMax || waiting.bytes > allWaitingBytesMax;
    this.#dropping = isTooMuch;
    if (isTooMuch) {
      this.gaps.because('The disk is too slow for what is recorded.');
      return;
    }
    this.#waitingBytes += fragment.bytes.length;
    waiting.bytes += fragment.bytes.length;
    this.#push({ kind: 'fragment', fragment, init: this.#init });
  }

  #push(item: Item): void {
    this.#items.push(item);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    for (let items = this.#next(); items.length > 0; items = this.#next()) {
      const [first] = items;
      try {
        if (first?.kind === 'lost') await this.#lost(first.reason);
        else await this.#write(items.flatMap((item) => (item.kind === 'fragment' ? [item] : [])));
      } catch (error) {
        this.#parts.ground.log.error('recording_failed', { camera: this.#cameraId, error });
      }
    }
  }

  /** What can be written at once: fragments up to the next key frame, where a segment may have to end. */
  #next(): Item[] {
    const [first] = this.#items;
    let count = 1;
    if (first?.kind === 'fragment') while (isSame(first, this.#items[count])) count += 1;
    const items = this.#items.splice(0, count);
    for (const item of items) {
      if (item.kind !== 'fragment') continue;
      this.#waitingBytes -= item.fragment.bytes.length;
      this.#parts.waiting.bytes -= item.fragment.bytes.length;
    }
    return items;
  }

  async #write(items: { fragment: Fragment; init: InitSegment }[]): Promise<void> {
    const fragments = items.map((item) => item.fragment);
    const [first] = items;
    if (!first) return;
    if (this.#segment && this.#mustEnd(this.#segment, first)) await this.#close();
    if (!this.#segment && !first.fragment.key) return;
    try {
      if (this.#segment) await this.#segment.append(fragments);
      else await this.#open(first.init, fragments);
    } catch (error) {
      await this.#diskFailed(error);
      return;
    }
    if (this.#segment) this.gaps.wrote(first.fragment.startMs, this.#segment.toMs);
  }

  #mustEnd(segment: SegmentFile, next: { fragment: Fragment; init: InitSegment }): boolean {
    if (segment.init !== next.init || segment.storage.trouble?.state === 'missing') return true;
    if (!next.fragment.key) return false;
    return next.fragment.startMs - segment.fromMs >= segmentMs || next.fragment.startMs < segment.fromMs;
  }

  async #open(init: InitSegment, fragments: Fragment[]): Promise<void> {
    const { ground, files, segments, storages, growing, making } = this.#parts;
    const policy = ground.directory.get(this.#cameraId)?.recording;
    const storage = storages.choose({ storage_id: policy?.storage_id ?? null });
    if (!storage) {
      const why = storages.all().find(({ trouble }) => trouble)?.trouble?.problem;
      this.gaps.because(why ?? 'There is no storage for footage.');
      return;
    }
    const fromMs = fragments[0]?.startMs ?? 0;
    this.#storageUnderWay = storage;
    const segment = await this.#create(
      { files, segments, making, storage, cameraId: this.#cameraId, init },
      fragments,
    );
    this.#segment = segment;
    growing.set(segment.id, segment);
    this.#broken?.cut(fromMs);
    this.#broken = undefined;
  }
  #storageUnderWay: SegmentFile['storage'] | undefined;

  /** A taken name is no trouble of the disk: recording that is switched on again begins with the same key frame. */
  async #create(parts: SegmentParts, fragments: Fragment[]): Promise<SegmentFile> {
    const fromMs = fragments[0]?.startMs ?? 0;
    for (let tries = 1; ; tries += 1) {
      const name = segmentPath(this.#cameraId, fromMs, toRfc3339(fromMs), String((this.#attempt += 1)));
      try {
        return await SegmentFile.create(parts, name, fragments);
      } catch (error) {
        if (errorCode(error) !== 'EEXIST' || tries >= namesMax) throw error;
      }
    }
  }

  /** The segment ends with what is durable, and the fragments since the last key frame are written once more, elsewhere. */
  async #diskFailed(error: unknown): Promise<void> {
    const { storages, ground, onPressure } = this.#parts;
    const storage = this.#segment?.storage ?? this.#storageUnderWay;
    ground.log.warn('footage_not_written', { camera: this.#cameraId, storage: storage?.row.id, error });
    if (storage) storages.failed(storage, error);
    this.gaps.because(storage?.trouble?.problem ?? 'The disk does not take footage.');
    this.#broken = this.#segment;
    await this.#close();
    onPressure();
    // Without another storage the same fragments would only fail again.
    const policy = ground.directory.get(this.#cameraId)?.recording;
    if (this.#end && storages.choose({ storage_id: policy?.storage_id ?? null })) this.#startAgain();
  }

  #startAgain(): void {
    for (const item of this.#items) {
      if (item.kind !== 'fragment') continue;
      this.#waitingBytes -= item.fragment.bytes.length;
      this.#parts.waiting.bytes -= item.fragment.bytes.length;
    }
    this.#items = [];
    this.#listen(true);
  }

  async #lost(reason: string): Promise<void> {
    this.gaps.because(reason);
    await this.#close();
  }

  async #close(): Promise<void> {
    const segment = this.#segment;
    if (!segment) return;
    this.#segment = undefined;
    try {
      await segment.close();
    } catch (error) {
      // The row is closed with what is durable; the file's tail behind it is never read.
      this.#parts.ground.log.warn('segment_not_closed', {
        camera: this.#cameraId,
        segment: segment.id,
        error,
      });
    } finally {
      this.#parts.growing.delete(segment.id);
    }
  }
}

const isSame = (first: Item & { kind: 'fragment' }, other: Item | undefined): boolean =>
  other?.kind === 'fragment' && !other.fragment.key && other.init === first.init;
