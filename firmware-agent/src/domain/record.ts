/**
 * One record of the disk queue, and how a file of them is read back after a crash.
 *
 *   magic u32 | crc32 u32 | length u32 | sequence u48 | flags u8 | payload
 *
 * The CRC covers everything after itself. The magic starts with a byte that UTF-8 never uses, so a reader that lost its
 * place finds the next record without mistaking a payload for one.
 */
import { crc32 } from 'node:zlib';

export const recordFlags = { ordinary: 0, kept: 1, hole: 2 } as const;
export const recordHeaderBytes = 19;
const magic = Buffer.from([0xf5, 0x53, 0x51, 0x31]);

export type QueueRecord = { sequence: number; flags: number; payload: Buffer };
export type DecodedFile = {
  records: QueueRecord[];
  /** Bytes from the start that hold only good records. */
  goodBytes: number;
  /**
   * `torn`: the file ends in bytes that are no record, as a crash during a write leaves them; nothing good follows.
   * `corrupt`: good records follow bad bytes, so bytes that were once safe have changed.
   */
  verdict: 'clean' | 'torn' | 'corrupt';
};

/** Has this record one of the flags? */
export const hasFlag = (record: QueueRecord, flag: number): boolean => (record.flags & flag) !== 0;

/** The last sequence a record stands for: a hole covers a run, everything else only itself. */
export function lastSequence(record: QueueRecord): number {
  return hasFlag(record, recordFlags.hole) ? record.payload.readUIntBE(0, 6) : record.sequence;
}

/** A record that says: the sequences `from` to `to` were dropped on purpose. */
export function holeRecord(from: number, to: number): QueueRecord {
  const payload = Buffer.alloc(6);
  payload.writeUIntBE(to, 0, 6);
  return { sequence: from, flags: recordFlags.hole, payload };
}

export function encodeRecord(record: QueueRecord): Buffer {
  const out = Buffer.allocUnsafe(recordHeaderBytes + record.payload.length);
  magic.copy(out, 0);
  out.writeUInt32BE(record.payload.length, 8);
  out.writeUIntBE(record.sequence, 12, 6);
  out.writeUInt8(record.flags, 18);
  record.payload.copy(out, recordHeaderBytes);
  out.writeUInt32BE(crc32(out.subarray(8)), 4);
  return out;
}

/** Reads a whole file; never throws, whatever the bytes are. */
export function decodeRecords(file: Buffer): DecodedFile {
  const records: QueueRecord[] = [];
  let offset = 0;
  let goodBytes = 0;
  let broken = false;
  let salvaged = false;
  while (offset < file.length) {
    const found = decodeAt(file, offset);
    if (found && found.record.sequence > (records.at(-1)?.sequence ?? 0)) {
      records.push(found.record);
      offset = found.end;
      if (broken) salvaged = true;
      else goodBytes = offset;
      continue;
    }
    broken = true;
    const next = file.indexOf(magic, offset + 1);
    if (next === -1) break;
    offset = next;
  }
  return { records, goodBytes, verdict: salvaged ? 'corrupt' : broken ? 'torn' : 'clean' };
}

function decodeAt(file: Buffer, offset: number): { record: QueueRecord; end: number } | undefined {
  if (offset + recordHeaderBytes > file.length) return undefined;
  if (file.compare(magic, 0, 4, offset, offset + 4) !== 0) return undefined;
  const length = file.readUInt32BE(offset + 8);
  const end = offset + recordHeaderBytes + length;
  if (end > file.length) return undefined;
  if (crc32(file.subarray(offset + 8, end)) !== file.readUInt32BE(offset + 4)) return undefined;
  const flags = file.readUInt8(offset + 18);
  if ((flags & recordFlags.hole) !== 0 && length !== 6) return undefined;
  const payload = Buffer.from(file.subarray(offset + recordHeaderBytes, end));
  return { record: { sequence: file.readUIntBE(offset + 12, 6), flags, payload }, end };
}
