/**
 * Who is in a room, by statements that devices signed. The rules are the contract's (`membership.ts`); here is the cryptography of
 * devices: Ed25519 and SHA-256 of WebCrypto. What must stay true: nobody is let in but by a statement whose signature, device and place in
 * the chain were checked. One that does not count lets nobody in, and the chain goes on over it, for the server's does too.
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
  /** It fits itself, but no identity that is known here has signed it: it counts only where nothing was known before. */
  | { unproven: Uint8Array }
  /** It is there, but its owner's identity has not signed it. */
  | 'unsigned'
  /** Neither the directory nor the room has it. */
  | 'gone';
export type StatementRefusal = MembershipRefusal | 'bad_signature' | 'device_unsigned' | 'device_gone';

export type StatementsRead = {
  /** With all that follows one another: where the next statement goes, and who is a member. */
  chain: RoomChain;
  /** Up to the first that does not count. What is in it counts for good; what comes after it is looked at again the next time. */
  firm: RoomChain;
  /** By count of statements: the head that the chain has there. */
  heads: ReadonlyMap<number, string>;
  /** Where the last one that counts ends. */
  counted: Pick<RoomChain, 'n' | 'head'>;
  members: readonly string[];
  /** What counts, in order, without what was before `from`. */
  valid: MembershipStatement[];
  /** Those of `valid` that nobody proves: taken because nothing was known of this room before. */
  unproven: MembershipStatement[];
  /** What lets nobody in. One that follows upon nothing ends the reading. */
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
 * Reads statements in order. One that nobody proves lets nobody in; whom it puts out is out, because a server that takes the proof
 * from a removal must not keep anybody in. In a room of which nothing was known (`from` is empty) it counts: somebody has to be believed
 * first, and all that is said later is held against it.
 * @param from What this device has verified before: statements up to there are not looked at again, and the next one has to build on it.
 */
export async function verifyStatements(
  room: { id: string; kind: RoomChain['kind'] },
  statements: readonly MembershipStatement[],
  keyOf: (userId: string, deviceId: string) => SigningKey | Promise<SigningKey>,
  from: RoomChain = emptyChain(room.id, room.kind),
): Promise<StatementsRead> {
  const read = { valid: [], unproven: [], bad: [] } as Pick<StatementsRead, 'valid' | 'unproven' | 'bad'>;
  const heads = new Map([[from.n, from.head]]);
  let [chain, firm, counted] = [from, from, { n: from.n, head: from.head }];
  for (const statement of statements.filter((one) => one.n >= from.n)) {
    const hash = await sha256Hex(statementText(statement));
    const applied = applyStatement(chain, statement, hash);
    const follows = applied.ok || (applied.reason !== 'out_of_order' && applied.reason !== 'other_room');
    const verdict = applied.ok
      ? await checkSignature(statement, await keyOf(statement.by_user, statement.by_device))
      : applied.reason;
    const counts = verdict === 'good' || (verdict === 'unproven' && from.n === 0);
    if (applied.ok && counts) {
      chain = applied.chain;
      counted = { n: chain.n, head: chain.head };
      read.valid.push(statement);
      if (verdict === 'unproven') read.unproven.push(statement);
      if (read.bad.length === 0) firm = chain;
    } else {
      const reason = verdict === 'unproven' || verdict === 'good' ? 'device_unsigned' : verdict;
      read.bad.push({ statement, reason });
      if (!follows) break;
      chain = passedOver(chain, statement, hash);
    }
    heads.set(chain.n, chain.head);
  }
  return { ...read, chain, firm, heads, counted, members: chain.members };
}

/** The chain over one that does not count: nobody is in by it, and whom it puts out is out. */
function passedOver(chain: RoomChain, statement: MembershipStatement, hash: string): RoomChain {
  const { action, by_user: by, user_ids: ids } = statement;
  const out = action === 'leave' ? [by] : action === 'remove' && chain.kind === 'group' ? ids : [];
  const members = chain.members.filter((id) => !out.includes(id));
  return { ...chain, n: chain.n + 1, head: hash, members };
}

async function checkSignature(
  statement: MembershipStatement,
  key: SigningKey,
): Promise<'good' | 'unproven' | 'bad_signature' | 'device_unsigned' | 'device_gone'> {
  if (key === 'gone') return 'device_gone';
  if (key === 'unsigned') return 'device_unsigned';
  const isProven = key instanceof Uint8Array;
  const text = statementText(statement);
  if (!(await verifySignature(isProven ? key : key.unproven, statement.signature, text)))
    return 'bad_signature';
  return isProven ? 'good' : 'unproven';
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
