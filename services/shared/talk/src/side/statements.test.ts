import { DeviceId, OlmMachine, UserId } from '@matrix-org/matrix-sdk-crypto-wasm';
import {
  emptyChain,
  nextStatement,
  statementText,
  type MembershipStatement,
  type RoomChain,
} from '@siphera/contract';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromBase64 } from './bytes.ts';
import {
  sha256Hex,
  signStatement,
  verifySignature,
  verifyStatements,
  type SigningKey,
} from './statements.ts';

const room = '018f0000-0000-7000-8000-00000000000a';
const uuid = (n: number): string => `018f0000-0000-7000-8000-00000000000${n}`;
const [ann, ben, cid, mal] = [uuid(1), uuid(2), uuid(3), uuid(4)];
const deviceOf = new Map([
  [ann, 'AAAAAAAAAA'],
  [ben, 'BBBBBBBBBB'],
  [cid, 'CCCCCCCCCC'],
  [mal, 'MMMMMMMMMM'],
]);
const keys = new Map<string, { secret: KeyObject; open: Uint8Array }>();
beforeAll(() => {
  for (const user of deviceOf.keys()) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const open = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
    keys.set(user, { secret: privateKey, open: Uint8Array.from(open) });
  }
});

type Step = [by: string, action: MembershipStatement['action'], userIds?: string[]];

/** A chain as honest devices make it: each step on the one before. */
async function chainOf(...steps: Step[]): Promise<MembershipStatement[]> {
  const made: MembershipStatement[] = [];
  let chain: RoomChain = emptyChain(room, 'group');
  for (const [by, action, userIds = []] of steps) {
    const at = '2026-11-28T10:00:00Z';
    const unsigned = nextStatement(chain, { action, userIds, byUser: by, byDevice: deviceOf.get(by)!, at });
    const statement = await signStatement(
      async (text) =>
        sign(null, Buffer.from(text), keys.get(by)!.secret).toString('base64').replace(/=+$/, ''),
      unsigned,
    );
    made.push(statement);
    chain = { ...chain, n: chain.n + 1, head: await sha256Hex(statementText(unsigned)) };
  }
  return made;
}

const known =
  (...except: [string, SigningKey][]) =>
  (user: string, device: string): SigningKey => {
    if (deviceOf.get(user) !== device) return 'gone';
    return new Map(except).get(user) ?? keys.get(user)!.open;
  };
const read = (statements: MembershipStatement[], keyOf = known(), from?: RoomChain) =>
  verifyStatements({ id: room, kind: 'group' }, statements, keyOf, from);

describe('signed membership', () => {
  it('says who is in the room', async () => {
    const statements = await chainOf([ann, 'create', [ben]], [ben, 'add', [cid]], [ann, 'remove', [ben]]);
    const result = await read(statements);
    expect(result).toMatchObject({ members: [ann, cid], bad: [], unproven: [] });
    expect(result.valid).toEqual(statements);
    expect(result.chain).toMatchObject({ n: 3, head: await sha256Hex(statementText(statements[2]!)) });
  });

  it('lets nobody in by a statement that was changed, whatever was changed in it', async () => {
    const statements = await chainOf([ann, 'create', [ben]], [ben, 'add', [cid]], [cid, 'leave']);
    const changes: Partial<MembershipStatement>[] = [
      { user_ids: [mal] },
      { by_user: ann, by_device: deviceOf.get(ann)! },
      { at: '2026-11-28T10:00:01Z' },
      { signature: statements[0]!.signature },
      { signature: 'AAAA' },
      { signature: 'no base64 at all' },
    ];
    for (const change of changes) {
      const forged = statements.with(1, { ...statements[1]!, ...change });
      const result = await read(forged);
      expect(result.members).toEqual([ann, ben]);
      expect(result.bad[0]).toMatchObject({ reason: 'bad_signature' });
      expect(result.firm).toMatchObject({ n: 1 });
    }
  });

  it('counts no statement twice, out of order, or of another room', async () => {
    const statements = await chainOf([ann, 'create', [ben]], [ben, 'add', [cid]]);
    const [first, second] = statements as [MembershipStatement, MembershipStatement];
    expect((await read([first, first])).bad).toMatchObject([{ reason: 'out_of_order' }]);
    expect((await read([second])).bad).toMatchObject([{ reason: 'out_of_order' }]);
    const elsewhere = await verifyStatements({ id: uuid(9), kind: 'group' }, statements, known());
    expect(elsewhere).toMatchObject({ members: [], bad: [{ reason: 'other_room' }] });
  });

  it('lets nobody in by who is no member', async () => {
    const result = await read(await chainOf([ann, 'create', [ben]], [mal, 'add', [mal]]));
    expect(result).toMatchObject({ members: [ann, ben], bad: [{ reason: 'not_member' }] });
  });

  it('counts nothing of a device that its owner has not signed', async () => {
    const statements = await chainOf([ann, 'create', [ben]], [ben, 'add', [mal]]);
    const result = await read(statements, known([ben, 'unsigned']));
    expect(result).toMatchObject({ members: [ann, ben], bad: [{ reason: 'device_unsigned' }] });
  });

  it('goes on from what was verified before, also when the first device is gone', async () => {
    const statements = await chainOf([ann, 'create', [ben]], [ben, 'add', [cid]]);
    const { chain } = await read(statements.slice(0, 1));
    const result = await read(statements, known([ann, 'gone']), chain);
    expect(result).toMatchObject({ members: [ann, ben, cid], bad: [], unproven: [] });
    expect(result.valid).toEqual(statements.slice(1));
  });

  it('goes on over what nobody proves: nobody is in by it, and whom it puts out is out', async () => {
    const statements = await chainOf(
      [ann, 'create', [ben, mal]],
      [ben, 'add', [cid]],
      [ben, 'remove', [mal]],
      [ann, 'add', [uuid(5)]],
    );
    const { chain } = await read(statements.slice(0, 1));
    for (const why of ['gone', 'unsigned', { unproven: keys.get(ben)!.open }] as const) {
      const result = await read(statements, known([ben, why]), chain);
      expect(result.members).toEqual([ann, ben, uuid(5)]);
      expect(result.chain.n).toBe(4);
      expect(result.firm.n).toBe(1);
      expect(result.bad).toHaveLength(2);
      // Once it is proved, it counts.
      expect((await read(statements, known(), result.firm)).members).toEqual([ann, ben, cid, uuid(5)]);
    }
  });

  it('believes what nobody proves only where nothing was known before, and only what is signed by what is served', async () => {
    const statements = await chainOf([ann, 'create', [ben]], [ben, 'add', [cid]]);
    const first = await read(statements, known([ann, { unproven: keys.get(ann)!.open }]));
    expect(first).toMatchObject({ members: [ann, ben, cid], bad: [] });
    expect(first.unproven).toEqual(statements.slice(0, 1));
    const forged = await read(statements, known([ann, { unproven: keys.get(mal)!.open }]));
    expect(forged).toMatchObject({
      members: [],
      bad: [{ reason: 'bad_signature' }, { reason: 'not_member' }],
    });
    expect((await read(statements, known([ann, 'gone']))).members).toEqual([]);
  });

  it('takes the signature that the library makes', async () => {
    const user = new UserId(`@${ann}:${uuid(0)}`);
    const machine = await OlmMachine.initialize(user, new DeviceId('AAAAAAAAAA'));
    const sdkSign = async (text: string): Promise<string> => {
      const made = JSON.parse((await machine.sign(text)).asJSON()) as Record<string, Record<string, string>>;
      return made[user.toString()]!['ed25519:AAAAAAAAAA']!;
    };
    const key = fromBase64(machine.identityKeys.ed25519.toBase64())!;
    expect(await verifySignature(key, await sdkSign('a text with ü'), 'a text with ü')).toBe(true);
    expect(await verifySignature(key, await sdkSign('a text'), 'another')).toBe(false);
    machine.close();
  });
});
