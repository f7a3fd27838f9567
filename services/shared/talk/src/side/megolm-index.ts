/**
 * Session and index of a Megolm message, read out of the ciphertext before it is decrypted: the library accepts the same index under
 * another event id, so the engine keeps them and rejects it itself. Layout: version 3, then protobuf-like fields (Megolm, "The Megolm
 * message format"): tag 0x08 varint index, tag 0x12 ciphertext; MAC and signature follow.
 */
import { z } from 'zod';
import { fromBase64 } from './bytes.ts';

const version = 3;
const tagIndex = 0x08;
/** The index is a u32: five groups of seven bits. */
const varintBytesMax = 5;
const indexMax = 0xffff_ffff;

const MegolmContent = z.looseObject({
  algorithm: z.literal('m.megolm.v1.aes-sha2'),
  session_id: z.string().min(1).max(100),
  ciphertext: z.string(),
});

export type MegolmIndex = { sessionId: string; index: number };

/** `undefined` for what is no Megolm message. @param content of an `m.room.encrypted` event */
export function readMegolmIndex(content: unknown): MegolmIndex | undefined {
  const read = MegolmContent.safeParse(content);
  if (!read.success) return undefined;
  const bytes = fromBase64(read.data.ciphertext);
  if (bytes?.[0] !== version || bytes[1] !== tagIndex) return undefined;
  const index = readVarint(bytes, 2);
  return index === undefined ? undefined : { sessionId: read.data.session_id, index };
}

function readVarint(bytes: Uint8Array, from: number): number | undefined {
  let value = 0;
  for (let place = 0; place < varintBytesMax; place += 1) {
    const byte = bytes[from + place];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * place);
    if ((byte & 0x80) !== 0) continue;
    // A zero at the end would write the same index in a second way, and so under a second name.
    const shortest = place === 0 || byte !== 0;
    return value <= indexMax && shortest ? value : undefined;
  }
  return undefined;
}
