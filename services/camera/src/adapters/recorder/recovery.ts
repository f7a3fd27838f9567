/**
 * Puts rows and files together again after a crash. A row without an end: its file is read box by box, cut behind its last
 * whole fragment, and closed. A row without a file is dropped, a file without a row is taken in again when it holds footage.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { FragmentTable } from '../../domain/fragment-table.ts';
import { readFragment } from '../../domain/mp4-fragment.ts';
import { readInit, type ReadInit } from '../../domain/mp4-init.ts';
import { boxBytesMax } from '../../domain/mp4-splitter.ts';

export type Recovered = { init: ReadInit; table: FragmentTable; toMs: number };

/** A file of one day's worth of fragments would be a lie. */
const boxesMax = 400_000;

/** Undefined when the file holds no whole fragment. @throws when it cannot be read. */
export async function recoverFile(path: string, fromMs: number): Promise<Recovered | undefined> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const found = await readBoxes(file, size, fromMs);
    if (found && found.table.fileBytes < size) {
      await file.truncate(found.table.fileBytes);
      await file.sync();
    }
    return found;
  } finally {
    await file.close();
  }
}

async function readBoxes(file: FileHandle, size: number, fromMs: number): Promise<Recovered | undefined> {
  let init: ReadInit | undefined;
  let table: FragmentTable | undefined;
  let moof: { at: number; bytes: Buffer } | undefined;
  let firstTime: number | undefined;
  let toMs = fromMs;
  let at = 0;
  for (let count = 0; count < boxesMax; count += 1) {
    const box = await readHead(file, at, size);
    if (!box) break;
    if (box.type === 'moov') {
      init = readInit(await readBytes(file, 0, at + box.size));
      if (!init) return undefined;
      table = new FragmentTable(fromMs, at + box.size);
    } else if (box.type === 'moof') {
      moof = { at, bytes: await readBytes(file, at, box.size) };
    } else if (box.type === 'mdat' && moof && init && table) {
      const read = readFragment(moof.bytes, init.tracks);
      if (!read) break;
      const ticks = read.video?.decodeTime;
      firstTime ??= ticks;
      const startMs =
        ticks === undefined || firstTime === undefined
          ? toMs
          : fromMs + ((ticks - firstTime) * 1_000) / init.segment.timescale;
      const durationMs = ((read.video?.duration ?? 0) * 1_000) / init.segment.timescale;
      table.add({ bytes: at + box.size - moof.at, startMs, key: read.video?.samples[0]?.key ?? false });
      toMs = Math.max(toMs, Math.round(startMs + durationMs));
    }
    at += box.size;
  }
  return init && table && table.entries().length > 0 ? { init, table, toMs } : undefined;
}

/** Undefined at the torn end. */
async function readHead(
  file: FileHandle,
  at: number,
  end: number,
): Promise<{ type: string; size: number } | undefined> {
  if (at + 8 > end) return undefined;
  const head = await readBytes(file, at, 8);
  if (head.length < 8) return undefined;
  const size = head.readUInt32BE(0);
  const type = head.toString('latin1', 4, 8);
  const max = boxBytesMax[type] ?? 0;
  // Zeros where a file system had promised room, or half a box: what was not durable.
  return size < 8 || size > max || at + size > end ? undefined : { type, size };
}

async function readBytes(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, at);
  return buffer.subarray(0, bytesRead);
}
