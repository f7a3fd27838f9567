/**
 * Who is in a room, by statements that devices signed. The rules are the contract's (`membership.ts`); here is the cryptography of
 * devices: Ed25519 and SHA-256 of WebCrypto. What must stay true: a statement counts only after its signature, its device
 * and its place in the chain were checked, and nothing after one that does not count.
 */
import {
  applyStatement,
  emptyChain,
  statementText,
  type MembershipRefusal,
  type MembershipStatement,
  type RoomChain,
  type UnsignedStatement,
} from '@siphera/contract';
import { fromBase64, fromText, plain, toHex } from './bytes.ts';

/** The Ed25519 key of a device, 32 bytes; or why it has none that counts. */
export type SigningKey =
  | Uint8Array
  /** It is there, but its owner's identity has not signed it. */
  | 'unsigned'
  /** The directory does not have it (any more). */
  | 'gone';
export type StatementRefusal = MembershipRefusal | 'bad_signature' | 'device_unsigned' | 'device_gone';

export type StatementsRead = {
  /** Where the next statement goes. */
  chain: RoomChain;
  members: readonly string[];
  /** What counts, in order, without what was before `from`. */
  valid: MembershipStatement[];
  /** Those of `valid` whose device is gone: a later statement of a member, which builds on them, vouches for them. */
  unproven: MembershipStatement[];
  /** The first is why reading ended; what follows it is not read. */
  bad: { statement: MembershipStatement; reason: StatementRefusal }[];
};

/** @param sign Ed25519 of this device over a text, base64 (`OlmMachine.sign`). */
export async function signStatement(
  sign: (text: string) => Promise<string>,
  statement: UnsignedStatement,
): Promise<MembershipStatement> {
  return { ...statement, signature: await sign(statementText(statement)) };
}

/**
 * Reads statements in order. A device that was removed since cannot be asked for its key: what it said counts once
 * somebody built on it who was a member before it; so a server that invents a removed device lets nobody in by it.
 * @param from What this device has verified before: statements up to there are not looked at again, and the next one has to build on it.
 */
export async function verifyStatements(
  room: { id: string; kind: RoomChain['kind'] },
  statements: readonly MembershipStatement[],
  keyOf: (userId: string, deviceId: string) => SigningKey | Promise<SigningKey>,
  from: RoomChain = emptyChain(room.id, room.kind),
): Promise<StatementsRead> {
  const read: StatementsRead = { chain: from, members: from.members, valid: [], unproven: [], bad: [] };
  let chain = from;
  let waiting: MembershipStatement[] = [];
  for (const statement of statements.filter((one) => one.n >= from.n)) {
    const hash = await sha256Hex(statementText(statement));
    const applied = applyStatement(chain, statement, hash);
    if (!applied.ok) return ended(read, waiting, { statement, reason: applied.reason });
    const signed = await checkSignature(statement, await keyOf(statement.by_user, statement.by_device));
    if (signed !== 'good' && signed !== 'device_gone')
      return ended(read, waiting, { statement, reason: signed });
    chain = applied.chain;
    if (signed === 'device_gone') {
      waiting.push(statement);
      continue;
    }
    if (waiting.length > 0 && !mayVouch(read.chain, statement.by_user)) return ended(read, waiting);
    read.valid.push(...waiting, statement);
    read.unproven.push(...waiting);
    read.chain = chain;
    read.members = chain.members;
    waiting = [];
  }
  return ended(read, waiting);
}

/** Of a room that was never seen before, nothing is known but the chain itself; else one that was a member has to say it. */
const mayVouch = (proven: RoomChain, userId: string): boolean =>
  proven.n === 0 || proven.members.includes(userId);

function ended(
  read: StatementsRead,
  waiting: readonly MembershipStatement[],
  bad?: StatementsRead['bad'][number],
): StatementsRead {
  for (const statement of waiting) read.bad.push({ statement, reason: 'device_gone' });
  if (bad) read.bad.push(bad);
  return read;
}

async function checkSignature(
  statement: MembershipStatement,
  key: SigningKey,
): Promise<'good' | 'bad_signature' | 'device_unsigned' | 'device_gone'> {
  if (key === 'gone') return 'device_gone';
  if (key === 'unsigned') return 'device_unsigned';
  const good = await verifySignature(key, statement.signature, statementText(statement));
  return good ? 'good' : 'bad_signature';
}

/** False also for what is no key or no signature. */
export async function verifySignature(key: Uint8Array, signature: string, text: string): Promise<boolean> {
  const bytes = fromBase64(signature);
  if (bytes?.length !== 64 || key.length !== 32) return false;
  const { subtle } = globalThis.crypto;
  const imported = await subtle.importKey('raw', plain(key), 'Ed25519', false, ['verify']);
  return subtle.verify('Ed25519', imported, bytes, fromText(text));
}

/** SHA-256 of a text, hex: what `prev` of the next statement has to be. */
export async function sha256Hex(text: string): Promise<string> {
  return toHex(new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', fromText(text))));
}
