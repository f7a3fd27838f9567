/**
 * Commands and their results. What must stay true: a command id is executed at most once, over restarts too, and a
 * repeated id gets the first result.
 */
import type { AgentCommand, AgentCommandResult } from '@siphera/contract';
import { z } from 'zod';
import type { Clock } from './clock.ts';
import { toRfc3339 } from './clock.ts';
import type { CommandOutcome } from './driver.ts';

/** Remembered ids. A command expires within minutes, so a repeat after this many others cannot still be valid. */
const rememberedMax = 256;
/** A door that has not answered by then will not; the person at the console must hear so. */
const executeMsMax = 30_000;

const Entry = z.object({
  id: z.string(),
  result: z
    .object({
      id: z.string(),
      ok: z.boolean(),
      state: z.string().optional(),
      error: z.string().optional(),
      at: z.string(),
    })
    .optional(),
});
const Book = z.object({ entries: z.array(Entry).max(rememberedMax) });
type Entry = z.infer<typeof Entry>;

export type CommandBookOptions = {
  clock: Clock;
  execute: (command: AgentCommand, signal: AbortSignal) => Promise<CommandOutcome>;
  isOurs: (device: string) => boolean;
  /** Keeps the book durably; its text comes back as `saved` at the next start. */
  save: (text: string) => Promise<void>;
  saved: string | undefined;
};

export class CommandBook {
  readonly #options: CommandBookOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #running = new Map<string, Promise<AgentCommandResult>>();

  constructor(options: CommandBookOptions) {
    this.#options = options;
    for (const entry of parseBook(options.saved)) this.#entries.set(entry.id, entry);
  }

  /** The result of a command: of the first time it came, or of executing it now. */
  handle(command: AgentCommand): Promise<AgentCommandResult> {
    const running = this.#running.get(command.id);
    if (running) return running;
    const known = this.#entries.get(command.id);
    if (known) {
      const interrupted = { ok: false, error: 'The agent restarted while it executed this command' };
      return Promise.resolve(known.result ?? this.#result(command, interrupted));
    }
    const execution = this.#run(command).finally(() => this.#running.delete(command.id));
    this.#running.set(command.id, execution);
    return execution;
  }

  async #run(command: AgentCommand): Promise<AgentCommandResult> {
    const refusal = this.#refusal(command);
    // An expired command changes nothing, so its refusal needs no memory.
    if (refusal) return this.#result(command, { ok: false, error: refusal });
    await this.#remember({ id: command.id });
    const result = this.#result(command, await this.#execute(command));
    await this.#remember({ id: command.id, result });
    return result;
  }

  #refusal(command: AgentCommand): string | undefined {
    if (Date.parse(command.expires_at) <= this.#options.clock.now()) return 'The command has expired';
    if (!this.#options.isOurs(command.target)) return 'No such device behind this agent';
    return undefined;
  }

  async #execute(command: AgentCommand): Promise<CommandOutcome> {
    const left = Date.parse(command.expires_at) - this.#options.clock.now();
    const signal = AbortSignal.timeout(Math.max(1, Math.min(executeMsMax, left)));
    const late = new Promise<CommandOutcome>((resolve) => {
      signal.addEventListener('abort', () =>
        resolve({ ok: false, error: 'The device did not answer in time' }),
      );
    });
    const attempt = this.#options.execute(command, signal).catch((error: unknown) => ({
      ok: false,
      error: error instanceof Error ? error.message : String(error),
    }));
    return await Promise.race([attempt, late]);
  }

  #result(command: AgentCommand, outcome: CommandOutcome): AgentCommandResult {
    return {
      id: command.id,
      ok: outcome.ok,
      ...(outcome.state === undefined ? {} : { state: outcome.state.slice(0, 40) }),
      ...(outcome.error === undefined ? {} : { error: outcome.error.slice(0, 500) }),
      at: toRfc3339(this.#options.clock.now()),
    };
  }

  async #remember(entry: Entry): Promise<void> {
    this.#entries.delete(entry.id);
    this.#entries.set(entry.id, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= rememberedMax) break;
      this.#entries.delete(oldest);
    }
    await this.#options.save(JSON.stringify({ entries: [...this.#entries.values()] }));
  }
}

function parseBook(text: string | undefined): Entry[] {
  if (text === undefined) return [];
  try {
    return Book.parse(JSON.parse(text)).entries;
  } catch {
    // An unreadable book is an empty one: ids are remembered from now on, and commands of before have long expired.
    return [];
  }
}
