/** Statements about members: taken when they are signed by the caller's own device and say what the rules let him say. */
import {
  applyStatement,
  emptyChain,
  talkLimits,
  type MembershipRefusal,
  type MembershipStatement,
  type RoomChain,
  type TalkRoom,
} from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import { Allowance } from '../../domain/allowance.ts';
import { isServed, mayCall } from '../../domain/room-access.ts';
import { isStatementSigned, statementHash } from '../../domain/statement.ts';
import type { RoomRow } from '../../store/room.store.ts';
import { enqueueRoom, requireAllowed, requireRoom, roomToWire, type RoomGround } from './room-ground.ts';

/** Of a room. Each of them goes to every device with each change; people come and go some dozen times. */
const statementsMax = 1_000;
/** Of them by one person, who could else use the room up for all. */
const statementsByOneMax = 100;
/** That somebody is in at once. More than anybody keeps up with; it bounds what `listRooms` answers. */
const roomsPerUserMax = 500;
/** Of one person: signatures cost a verification and a fan-out each. */
const statementAllowance = { burst: 60, perMinute: 20 };
const createAllowance = { burst: 20, perMinute: 2 };

export class RoomStatements {
  readonly #ground: RoomGround;
  readonly #statements: Allowance;
  readonly #creations: Allowance;

  constructor(ground: RoomGround) {
    this.#ground = ground;
    this.#statements = new Allowance(statementAllowance, ground.clock);
    this.#creations = new Allowance(createAllowance, ground.clock);
  }

  /** Makes a group. The same statement again is the same group. */
  create(caller: Caller, id: string, statement: MembershipStatement): TalkRoom {
    const { clock, rooms, statements } = this.#ground;
    const { org, sub } = caller.claims;
    const place = { orgId: org, kind: 'group', scopes: [] } as const;
    if (!mayCall(this.#ground.people, caller.claims, place))
      throw new AppError('forbidden', 'Groups are made by people who use talk.');
    const hash = this.#requireSigned(caller, statement);
    if (rooms.get(id) !== undefined) {
      if (statements.hash(id, 0) === hash) return this.#answer(requireRoom(this.#ground, caller, id));
      throw new AppError('duplicate', 'There is a room with this id already.', { hint: 'Make another id.' });
    }
    requireAllowed(this.#creations.take(sub), 'new groups');
    if (rooms.countWithMember(sub) >= roomsPerUserMax)
      throw new AppError('unprocessable', `One is in at most ${roomsPerUserMax} rooms.`, {
        hint: 'Leave groups that are not used any more.',
      });
    const room: RoomRow = {
      ...{ id, ...place, incidentId: null, createdMs: clock.now(), activeMs: clock.now() },
      ...{ lastSeq: 0, statements: 0, head: '' },
    };
    return this.#apply(room, statement, hash, true);
  }

  /** Adds, removes, joins or leaves. The last statement of the room again changes nothing. */
  add(caller: Caller, roomId: string, statement: MembershipStatement): TalkRoom {
    const { rooms, statements } = this.#ground;
    const known = rooms.get(roomId);
    // Who has just left sends it again when the answer was lost; he sees the room as it was then.
    const isRepeated =
      known !== undefined &&
      known.statements === statement.n + 1 &&
      statement.by_user === caller.claims.sub &&
      statements.hash(roomId, statement.n) === statementHash(statement) &&
      mayCall(this.#ground.people, caller.claims, known);
    if (isRepeated) {
      this.#requireSigned(caller, statement);
      return this.#answer(known);
    }
    const room = requireRoom(this.#ground, caller, roomId);
    requireAllowed(this.#statements.take(caller.claims.sub), 'changes of members');
    return this.#apply(room, statement, this.#requireSigned(caller, statement), false);
  }

  /**
   * By the device that the session has proved to be, over exactly what it says.
   * @returns its hash. @throws AppError `forbidden`
   */
  #requireSigned(caller: Caller, statement: MembershipStatement): string {
    const { queues } = this.#ground;
    const device = queues.confirmed(caller);
    if (statement.by_user !== device.userId || statement.by_device !== device.deviceId)
      throw new AppError('forbidden', 'A statement is signed by the device that sends it.');
    const key = queues.deviceKey(device);
    if (key === undefined || !isStatementSigned(statement, key))
      throw new AppError('forbidden', 'The signature is not of this device over this statement.');
    return statementHash(statement);
  }

  #apply(room: RoomRow, statement: MembershipStatement, hash: string, isNew: boolean): TalkRoom {
    const { db, queues, rooms, signers, statements, clock } = this.#ground;
    const byThisOne = statements.countBy(room.id, statement.by_user);
    const isTooMuch = byThisOne >= statementsByOneMax && statement.action !== 'leave';
    if (room.statements >= statementsMax || isTooMuch)
      throw new AppError('unprocessable', 'Members of this room have changed too often.', {
        hint: 'Make a new group.',
      });
    const applied = applyStatement(this.#chainOf(room), statement, hash);
    if (!applied.ok) throw refused(applied.reason, room);
    this.#requireFit(room, applied.added);
    const to = db
      .transaction(() => {
        if (isNew) rooms.create(room);
        statements.add(statement, hash);
        signers.keep(room.id, statement.n, statement.by_device);
        rooms.advance(applied.chain, applied);
        rooms.touch(room.id, clock.now());
        return enqueueRoom(this.#ground, room.id, { by: statement.by_user, gone: applied.removed });
      })
      .immediate();
    queues.flush(to);
    return this.#answer(room);
  }

  #chainOf(room: RoomRow): RoomChain {
    return {
      ...emptyChain(room.id, room.kind),
      n: room.statements,
      head: room.head,
      members: this.#ground.rooms.memberIds(room.id),
    };
  }

  /** Of this organisation, at work, with talk, and seeing the incident: all whom a statement lets in. */
  #requireFit(room: RoomRow, added: readonly string[]): void {
    const { people } = this.#ground;
    const unfit = added.filter((userId) => !isServed(people, userId, room));
    if (unfit.length === 0) return;
    const why = room.kind === 'incident' ? 'use talk and see the incident' : 'use talk';
    throw new AppError('unprocessable', `Only who may ${why} can be in here.`, {
      hint: 'Leave out those who cannot.',
      extra: { user_ids: unfit },
    });
  }

  #answer({ id }: RoomRow): TalkRoom {
    const room = this.#ground.rooms.get(id);
    if (!room) throw new AppError('not_found', 'There is no such room.');
    return roomToWire(this.#ground, room);
  }
}

function refused(reason: MembershipRefusal, room: RoomRow): AppError {
  const extra = { reason, statements: room.statements };
  switch (reason) {
    case 'out_of_order':
      return new AppError('conflict', 'Members of the room have changed in the meantime.', {
        hint: 'Read the room and sign anew.',
        extra,
      });
    case 'not_member':
      return new AppError('unprocessable', 'Only who is in the room may say that.', { extra });
    case 'already_member':
      return new AppError('already_done', 'Somebody who is named is in the room already.', { extra });
    case 'too_many':
      return new AppError('unprocessable', `A room holds at most ${talkLimits.roomMembersMax} people.`, {
        extra,
      });
    case 'bad_names':
    case 'not_first':
    case 'not_in_this_kind':
    case 'other_room':
      return new AppError('unprocessable', 'Such a statement cannot be made in this room.', { extra });
  }
}
