/**
 * One softphone for all tabs of a person: the tab that holds the lock runs it, the others show what it shows and ask it to act. What must
 * stay true: never two at once (each would ring, and each would be a contact of its own).
 */
import { noLine, type LineCommand, type LineView } from './line-types.ts';

export type PhoneTabMessage =
  { kind: 'who' } | { kind: 'view'; view: LineView } | { kind: 'do'; command: LineCommand };

/** The phone of this tab, while it leads. */
export type RunningLine = { run(command: LineCommand): Promise<void>; stop(): void };
export type PhoneTabWorld = {
  lockName: string;
  locks: Pick<LockManager, 'request'>;
  channel: {
    post(message: PhoneTabMessage): void;
    hear(run: (message: PhoneTabMessage) => void): void;
    close(): void;
  };
  open(changed: (view: LineView) => void): RunningLine;
  shown(view: LineView, isHere: boolean): void;
};

export class PhoneTabs {
  readonly #world: PhoneTabWorld;
  readonly #stopping = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #line: RunningLine | undefined;
  #view: LineView = noLine;

  constructor(world: PhoneTabWorld) {
    this.#world = world;
  }

  start(): void {
    const { locks, lockName, channel } = this.#world;
    channel.hear((message) => this.#hear(message));
    channel.post({ kind: 'who' });
    locks
      .request(lockName, { signal: this.#stopping.signal }, () => this.#lead())
      .catch((error: unknown) => {
        // Called off before it was this tab's turn.
        if (!this.#stopping.signal.aborted) throw error;
      });
  }

  run(command: LineCommand): void {
    if (this.#line) void this.#line.run(command);
    else this.#world.channel.post({ kind: 'do', command });
  }

  stop(): void {
    this.#stopping.abort();
    if (this.#line) {
      this.#line.stop();
      this.#line = undefined;
      this.#world.channel.post({ kind: 'view', view: noLine });
    }
    this.#over.resolve();
    this.#world.shown(noLine, false);
    this.#world.channel.close();
  }

  async #lead(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#line = this.#world.open((view) => {
      this.#view = view;
      if (this.#stopping.signal.aborted) return;
      this.#world.shown(view, true);
      this.#world.channel.post({ kind: 'view', view });
    });
    await this.#over.promise;
  }

  #hear(message: PhoneTabMessage): void {
    if (this.#stopping.signal.aborted) return;
    if (message.kind === 'view') {
      if (!this.#line) this.#world.shown(message.view, false);
    } else if (this.#line) {
      if (message.kind === 'do') void this.#line.run(message.command);
      else this.#world.channel.post({ kind: 'view', view: this.#view });
    }
  }
}
