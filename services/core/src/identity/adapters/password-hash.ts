/**
 * Argon2id, with the parameters of OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane). Work for an unknown
 * user is the same as for a known one.
 */
import { hash, verify } from '@node-rs/argon2';
import { AppError, type Random } from '@siphera/runtime';

/** `Algorithm.Argon2id`; the package's enum does not survive type stripping. */
const argon2id = 2;
const parameters = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Each takes 19 MiB and a thread of the pool: more at once would starve everything else. */
const atOnceMax = 2;
/** Beyond it callers are told to send again; a sign-in that waits longer has been given up by its user. */
const waitingMax = 100;

export class PasswordHasher {
  readonly #nobody: Promise<string>;
  readonly #waiting: Array<() => void> = [];
  #running = 0;

  constructor(random: Random) {
    // Checked against when there is no such user; nobody knows its password.
    this.#nobody = hash(random.bytes(32), parameters);
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password.normalize('NFKC'), parameters));
  }

  /** @param known undefined when there is no such user: the same work, and false. */
  async fits(known: string | undefined, password: string): Promise<boolean> {
    const against = known ?? (await this.#nobody);
    const fits = await this.#inTurn(() => verify(against, password.normalize('NFKC')));
    return fits && known !== undefined;
  }

  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (this.#running >= atOnceMax) {
      if (this.#waiting.length >= waitingMax) throw new AppError('overloaded', 'Too many sign-ins at once.');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running += 1;
    }
    try {
      return await run();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
