/**
 * Opens the door of a station out of its call, by core's command path, which authorises and audits the person. What must stay true:
 * one command a call in two seconds at most; a command that does not reach core now is not sent later; a desk phone opens the door of
 * a station alone that rings it.
 */
import {
  InternalCommandGiven,
  internalPaths,
  type InternalActor,
  type InternalCommand,
} from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import type { z } from 'zod';
import { rungBy } from '../domain/door-call.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook, PlannedExtension } from '../plan.part.ts';
import type { CallOpeningStore, OpeningRow } from '../store/call-opening.store.ts';
import type { CallRow } from '../store/call.store.ts';

type Deps = {
  ground: Pick<Ground, 'client' | 'clock' | 'log' | 'people'>;
  book: PlanBook;
  openings: CallOpeningStore;
};
const againMsMin = 2_000;

export class DoorOpener {
  readonly #deps: Deps;
  readonly #last = new Map<string, { atMs: number; given: Promise<string> }>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * @returns the id of core's command; within two seconds of the last one, that one's.
   * @throws AppError as core says; `unprocessable` when the call opens no door; `conflict` when it is over.
   */
  open(call: CallRow, actor: InternalActor, how: OpeningRow['how']): Promise<string> {
    const { clock } = this.#deps.ground;
    const station = this.#stationOf(call);
    const last = this.#last.get(call.id);
    if (last && clock.monotonic() - last.atMs < againMsMin) return last.given;
    const given = this.#command(call, station, actor, how);
    // The same refusal for whoever asks again at once; the rejection is the first caller's to handle.
    given.catch(() => undefined);
    this.#last.set(call.id, { atMs: clock.monotonic(), given });
    return given;
  }

  forget(callId: string): void {
    this.#last.delete(callId);
  }

  /** Who opens the station's door with a key of the phone under that number; undefined when nobody may. */
  actorOf(
    number: string,
    station: Pick<PlannedExtension, 'rings'> & { door_id: string },
  ): InternalActor | undefined {
    const { book, ground } = this.#deps;
    const phone = book.extension(number);
    if (phone?.kind === 'user' && phone.user_id !== null) {
      const person = ground.people.get(phone.user_id);
      if (!person?.active) return undefined;
      const { id, name, org_id, grants } = person;
      return { kind: 'user', id, name, org_id, grants, address: '' };
    }
    // A phone in a lobby may call a station, which picks up by itself: that gives it no right to the door.
    if (phone?.kind !== 'phone' || !rungBy(station.rings, book).has(number)) return undefined;
    // A desk phone is nobody: that it rings for the door is set by whoever manages phones, and it may open that door alone.
    return {
      kind: 'service',
      id: phone.id,
      name: `Phone ${phone.number} (${phone.name})`,
      org_id: phone.org_id,
      grants: [{ permissions: ['device.command'], scope: `device:${station.door_id}` }],
      address: '',
    };
  }

  #stationOf(call: CallRow): PlannedExtension & { door_id: string } {
    const station = call.doorNumber === null ? undefined : this.#deps.book.extension(call.doorNumber);
    if (station?.kind !== 'door' || station.door_id === null)
      throw new AppError('unprocessable', 'No door belongs to this call.', {
        hint: 'Set the door of the station on the page of numbers.',
      });
    if (call.endedMs !== null)
      throw new AppError('conflict', 'The call is over.', { hint: 'Open the door on its own page.' });
    return { ...station, door_id: station.door_id };
  }

  async #command(
    call: CallRow,
    station: PlannedExtension & { door_id: string },
    actor: InternalActor,
    how: OpeningRow['how'],
  ): Promise<string> {
    const { client } = this.#deps.ground;
    const command: z.input<typeof InternalCommand> = {
      actor,
      device_id: station.door_id,
      name: 'unlock',
      args: { seconds: station.open_seconds },
      reason: `${how === 'digit' ? 'By a key of the phone' : 'By button'} in the call of ${station.name} (${station.number})`,
      incident_id: call.incidentId,
    };
    try {
      const answer = await client.call('POST', internalPaths.command, command);
      const { command_id: commandId } = InternalCommandGiven.parse(answer);
      this.#note(call, actor, how, { ok: true, detail: 'The door was told to open.', commandId });
      return commandId;
    } catch (error) {
      const detail = error instanceof AppError ? error.message : 'Core gave an answer that nobody can read.';
      this.#note(call, actor, how, { ok: false, detail: detail.slice(0, 300), commandId: null });
      throw error;
    }
  }

  #note(
    { id }: CallRow,
    { name }: InternalActor,
    how: OpeningRow['how'],
    rest: Pick<OpeningRow, 'ok' | 'detail' | 'commandId'>,
  ): void {
    const { ground, openings } = this.#deps;
    ground.log.info('door_of_call', { call: id, how, ok: rest.ok });
    openings.add({ call: id, atMs: ground.clock.now(), by: name, how, ...rest });
  }
}
