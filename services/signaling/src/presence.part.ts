/** People and who is there as a part of talk. Duty is what the person says: neither a lost connection nor a sign-out ends it. */
import { PresenceBoard } from './adapters/presence-board.ts';
import type { Ground, Part, Queues, TalkSignal } from './ground.ts';
import { peopleHandlers } from './http/people.routes.ts';
import { PresenceStore } from './store/presence.store.ts';

export function createPresencePart(ground: Ground, queues: Pick<Queues, 'devicesOf' | 'deviceKey'>): Part {
  const store = new PresenceStore(ground.db);
  const board = new PresenceBoard({ ...ground, store });
  const off = ground.signals.on((signal) => hear(signal, ground, board));
  return {
    name: 'presence',
    handlers: peopleHandlers({ ...ground, board, queues }),
    start: () => board.start(),
    stop: () => {
      off();
      board.stop();
    },
  };
}

function hear(signal: TalkSignal, { people }: Ground, board: PresenceBoard): void {
  switch (signal.kind) {
    case 'online':
      board.changed(signal.orgId, signal.userId);
      break;
    case 'queue_opened':
      board.tellAll(signal.socket);
      break;
    case 'people':
      for (const id of signal.userIds) {
        const person = people.get(id);
        if (person?.active) board.changed(person.org_id, id);
        else board.remove(id);
      }
      break;
    case 'wake':
    case 'device_removed':
      break;
  }
}
