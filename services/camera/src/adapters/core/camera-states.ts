/** How each camera is now. In memory: every part tells its share again after a restart. */
import type { CameraState } from '@siphera/contract';
import type { StatePatch, StateSource } from '../../domain/camera.ts';

type Word = Pick<CameraState, 'connection' | 'problem'>;
type Known = { rest: CameraState } & Record<StateSource, Word>;

const noWord: Word = { connection: 'connecting', problem: null };
const unknown: CameraState = {
  ...noWord,
  recording: 'waiting',
  motion: false,
  bitrate_bps: 0,
  clock_offset_ms: null,
  events: 'none',
};

export class CameraStates {
  readonly #known = new Map<string, Known>();

  get(id: string): CameraState {
    const known = this.#known.get(id);
    return known ? { ...known.rest, ...joined(known.picture, known.link) } : unknown;
  }

  patch(id: string, { connection, problem, ...rest }: StatePatch, source: StateSource = 'link'): void {
    const known = this.#known.get(id) ?? { rest: unknown, picture: noWord, link: noWord };
    const before = known[source];
    this.#known.set(id, {
      ...known,
      rest: { ...known.rest, ...rest },
      [source]: {
        connection: connection ?? before.connection,
        problem: problem === undefined ? before.problem : problem,
      },
    });
  }

  forget(id: string): void {
    this.#known.delete(id);
  }
}

/** The picture is what counts: where there is a word on it, that is the connection, and the link says only what is missing besides. */
function joined(picture: Word, link: Word): Word {
  if (link.connection === 'disabled') return link;
  const connection = picture.connection === 'connecting' ? link.connection : picture.connection;
  if (picture.problem === null || link.problem === null) {
    const isBeside = picture.connection === 'online' && link.problem !== null;
    const problem = picture.problem ?? link.problem;
    return {
      connection,
      problem: isBeside ? `The picture comes, but it reports nothing. ${problem ?? ''}`.trim() : problem,
    };
  }
  const isSame = picture.connection === link.connection;
  return { connection, problem: isSame ? picture.problem : `${picture.problem} ${link.problem}` };
}
