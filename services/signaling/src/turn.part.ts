/** The relay as a part of talk: who may talk gets credentials for coturn. Coturn itself is not asked, nor told of anything. */
import type { Ground, Part } from './ground.ts';
import { turnHandlers } from './http/turn.routes.ts';

export function createTurnPart({ config, clock }: Pick<Ground, 'config' | 'clock'>): Part {
  return { name: 'turn', handlers: turnHandlers({ config, clock }), stop: () => undefined };
}
