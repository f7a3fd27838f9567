/**
 * Reads zip files whose entries are stored as they are (PKWARE APPNOTE 6.3.10), as exports of footage are. It reads evidence
 * that somebody may have tampered with: every number is checked against the file, and whatever a careless reader would pass
 * over (bytes that no entry accounts for, two entries of one name, an entry inside another) is an error.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { AppError } from '@siphera/runtime';

export type ZipEntry = { name: string; bytes: number; offset: number; crc32: number };

const endBytes = 22;
const commentBytesMax = 65_535;
/** A day of 64 cameras with a gap each minute is below it. */
const entriesMax = 200_000;
const directoryBytesMax = 64 * 1024 * 1024;
const chunkBytes = 1024 * 1024;
const signature = {
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
  entry: 0x02014b50,
  local: 0x04034b50,
};

const broken = (what: string): AppError =>
  new AppError('unprocessable', `The file is not a whole zip of an export: ${what}.`);

const wrongSum = ({ name }: ZipEntry): AppError =>
  broken(`${name} was changed, or its checksum in the zip was`);

export class StoredZip implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly entries: readonly ZipEntry[];

  private constructor(file: FileHandle, entries: readonly ZipEntry[]) {
    this.#file = file;
    this.entries = entries;
  }

  /** @throws AppError `unprocessable` in words when it is broken. */
  static async open(path: string): Promise<StoredZip> {
    const file = await open(path, 'r');
    try {
      return new StoredZip(file, await readEntries(file));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  find(name: string): ZipEntry | undefined {
    return this.entries.find((entry) => entry.name === name);
  }

  async read(entry: ZipEntry): Promise<Buffer> {
    if (entry.bytes > directoryBytesMax) throw broken(`${entry.name} is too large`);
    const bytes = await readAt(this.#file, entry.offset, entry.bytes);
    if (crc32(bytes) !== entry.crc32) throw wrongSum(entry);
    return bytes;
  }

  async sha256(entry: ZipEntry): Promise<string> {
    const hash = createHash('sha256');
    let sum = 0;
    for (let done = 0; done < entry.bytes; done += chunkBytes) {
      const bytes = await readAt(this.#file, entry.offset + done, Math.min(chunkBytes, entry.bytes - done));
      hash.update(bytes);
      sum = crc32(bytes, sum);
    }
    if (sum !== entry.crc32) throw wrongSum(entry);
    return hash.digest('hex');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  for (let done = 0; done < bytes;) {
    const { bytesRead } = await file.read(buffer, done, bytes - done, offset + done);
    if (bytesRead === 0) throw broken('it ends too early');
    done += bytesRead;
  }
  return buffer;
}

async function readEntries(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat();
  const directory = await findDirectory(file, size);
  const bytes = await readAt(file, directory.offset, directory.bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  let expected = 0;
  for (let index = 0; index < directory.count; index += 1) {
    const head = readHead(bytes, at);
    at += head.bytes;
    if (names.has(head.name)) throw broken(`it holds ${head.name} twice`);
    names.add(head.name);
    // Entries follow each other from the first byte on, so that nothing hides between them.
    if (head.localOffset !== expected) throw broken(`there is something else before ${head.name}`);
    const offset = await dataOffset(file, head, directory.offset);
    entries.push({ name: head.name, bytes: head.size, offset, crc32: head.crc32 });
    expected =
      offset + head.size + (head.hasDescriptor ? await descriptorBytes(file, offset + head.size) : 0);
    if (expected > directory.offset) throw broken(`${head.name} reaches into the directory`);
  }
  if (at !== bytes.length || expected !== directory.offset) throw broken('bytes belong to no entry');
  return entries;
}

type Directory = { offset: number; bytes: number; count: number };

async function findDirectory(file: FileHandle, size: number): Promise<Directory> {
  if (size < endBytes) throw broken('it is too short');
  const tail = await readAt(
    file,
    size - Math.min(size, endBytes + commentBytesMax),
    Math.min(size, endBytes + commentBytesMax),
  );
  const at = tail.length - endBytes;
  // Exports have no comment, so the end record is at the very end; anything behind it was put there later.
  if (tail.readUInt32LE(at) !== signature.end || tail.readUInt16LE(at + 20) !== 0)
    throw broken('its end is not where it should be');
  const plain = {
    count: tail.readUInt16LE(at + 10),
    bytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  const is64 = plain.count === 0xffff || plain.bytes === 0xffff_ffff || plain.offset === 0xffff_ffff;
  const endAt = size - endBytes;
  const found = is64 ? await readEnd64(file, endAt) : { ...plain, next: endAt };
  if (found.count > entriesMax || found.bytes > directoryBytesMax) throw broken('its directory is too large');
  if (found.offset + found.bytes !== found.next) throw broken('its directory is not where it should be');
  return found;
}

async function readEnd64(file: FileHandle, endAt: number): Promise<Directory & { next: number }> {
  const locator = await readAt(file, Math.max(0, endAt - 20), 20);
  if (locator.readUInt32LE(0) !== signature.locator64) throw broken('its end is not where it should be');
  const at = Number(locator.readBigUInt64LE(8));
  if (at + 56 > endAt) throw broken('its end is not where it should be');
  const record = await readAt(file, at, 56);
  if (record.readUInt32LE(0) !== signature.end64) throw broken('its end is not where it should be');
  return {
    count: Number(record.readBigUInt64LE(32)),
    bytes: Number(record.readBigUInt64LE(40)),
    offset: Number(record.readBigUInt64LE(48)),
    next: at,
  };
}

type Head = {
  name: string;
  size: number;
  localOffset: number;
  hasDescriptor: boolean;
  bytes: number;
  crc32: number;
  common: Buffer;
};

function readHead(directory: Buffer, at: number): Head {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== signature.entry)
    throw broken('its directory is damaged');
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
    directory.readUInt16LE(at + field),
  );
  const [flags, method] = [8, 10].map((field) => directory.readUInt16LE(at + field));
  const end = at + 46 + (nameBytes ?? 0) + (extraBytes ?? 0) + (commentBytes ?? 0);
  if (end > directory.length) throw broken('its directory is damaged');
  const nameEnd = at + 46 + (nameBytes ?? 0);
  const name = directory.toString('utf8', at + 46, nameEnd);
  if (method !== 0) throw broken(`${name} is packed`);
  const extra = directory.subarray(nameEnd, nameEnd + (extraBytes ?? 0));
  const wide = wideFields(extra);
  const field = (offset: number): number => {
    const value = directory.readUInt32LE(at + offset);
    return value === 0xffff_ffff ? (wide.shift() ?? value) : value;
  };
  // In this order they stand in the extra field (§4.5.3).
  const size = field(24);
  const packed = field(20);
  const localOffset = field(42);
  if (packed !== size) throw broken(`${name} is packed`);
  return {
    name,
    size,
    localOffset,
    hasDescriptor: ((flags ?? 0) & 8) !== 0,
    bytes: end - at,
    crc32: directory.readUInt32LE(at + 16),
    common: directory.subarray(at + 8, at + 16),
  };
}

/** Zip64 values of an entry (§4.5.3). */
function wideFields(extra: Buffer): number[] {
  for (let at = 0; at + 4 <= extra.length;) {
    const bytes = extra.readUInt16LE(at + 2);
    if (at + 4 + bytes > extra.length) break;
    if (extra.readUInt16LE(at) === 1)
      return Array.from({ length: Math.floor(bytes / 8) }, (_, index) =>
        Number(extra.readBigUInt64LE(at + 4 + index * 8)),
      );
    at += 4 + bytes;
  }
  return [];
}

async function dataOffset(file: FileHandle, head: Head, limit: number): Promise<number> {
  if (head.localOffset + 30 > limit) throw broken(`${head.name} is not where it should be`);
  const local = await readAt(file, head.localOffset, 30);
  if (local.readUInt32LE(0) !== signature.local) throw broken(`${head.name} is not where it should be`);
  // Flags, method, time and date stand in both (§4.3.7, §4.3.12).
  if (!local.subarray(6, 14).equals(head.common)) throw broken(`${head.name} is described in two ways`);
  const nameBytes = local.readUInt16LE(26);
  const name = (await readAt(file, head.localOffset + 30, nameBytes)).toString('utf8');
  // Programs that unpack from the front see this name, others that of the directory.
  if (name !== head.name) throw broken(`${head.name} has another name in front of it`);
  return head.localOffset + 30 + nameBytes + local.readUInt16LE(28);
}

/** §4.3.9: with or without signature, 32 or 64 bits; what follows tells. */
async function descriptorBytes(file: FileHandle, at: number): Promise<number> {
  const probe = await readAt(file, at, 28);
  const follows = (bytes: number): boolean =>
    [signature.local, signature.entry, signature.end64].includes(probe.readUInt32LE(bytes));
  const found = [16, 24, 12, 20].find((bytes) => follows(bytes));
  if (found === undefined) throw broken('an entry has no proper end');
  return found;
}
