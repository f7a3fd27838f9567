/**
 * Coming and going of the engine: made, opened, proved, recovered, reset, closed, wiped. What must stay true: one of these at a time, and
 * whatever was cut short is taken up where it ended.
 */
import { TalkError, type TalkChange, type TalkState } from '../api.ts';
import type { TalkPlace } from '../ports.ts';
import { archiveAll } from './archiving.ts';
import { makeDevice, openDevice, wipeDevice, type Kept, type Opened, type OpenMachine } from './device.ts';
import { asTalkError, wordsOf } from './failures.ts';
import { ownIdentity } from './identity.ts';
import {
  hasNoSecrets,
  makeArchiveKey,
  makeBackup,
  makeIdentity,
  putNewSecret,
  takeSecrets,
} from './recovery.ts';
import { Serial } from './serial.ts';
import { Session } from './session.ts';

export type EngineOptions = { openMachine?: OpenMachine };

export class TalkLife {
  protected readonly place: TalkPlace;
  readonly #options: EngineOptions;
  readonly #listeners = new Set<(change: TalkChange) => void>();
  readonly #lifecycle = new Serial();
  #state: TalkState = { is: 'opening' };
  #session: Session | undefined;
  #kept: Kept | undefined;

  constructor(place: TalkPlace, options: EngineOptions = {}) {
    this.place = place;
    this.#options = options;
  }

  /** Opens the device of this browser, if there is one. Never throws: `state` says how it went. */
  open(): Promise<void> {
    return this.#lifecycle.run(async () => {
      if (this.#session) return;
      try {
        const kept = await this.place.keep.find(this.place.userId);
        if (kept) await this.#open(kept);
        else this.#become({ is: 'absent' });
      } catch (error) {
        this.place.log('error', 'talk_open_failed', { error: wordsOf(error) });
        this.#become({ is: 'failed', reason: wordsOf(error) });
      }
    });
  }

  async #open(kept: Kept, made?: Opened): Promise<void> {
    this.#become({ is: 'opening' });
    const device = await openDevice(this.place, kept, (change) => this.#emit(change), {
      ...(made && { opened: made }),
      ...(this.#options.openMachine && { openMachine: this.#options.openMachine }),
    });
    if (device.is === 'gone') {
      await wipeDevice(this.place, kept.deviceId);
      this.#become({ is: 'removed' });
      return;
    }
    const { ground, opened } = device;
    const session = new Session(ground, {
      removed: () => void this.#removed(),
      elsewhere: () => this.place.log('info', 'talk_elsewhere'),
      ready: () => void this.#tellReady(),
    });
    await session.load();
    this.#kept = kept;
    this.#session = session;
    // A device that was here before goes on with what it has; the rest is tried again.
    if (opened)
      await session
        .prove(opened)
        .catch((error: unknown) =>
          this.place.log('warn', 'talk_later', { what: 'prove', error: wordsOf(error) }),
        );
    await this.#tellReady();
    session.listen();
    await session.openQueue();
  }

  async #tellReady(): Promise<void> {
    const session = this.#session;
    if (!session || !this.#kept) return;
    const { ground } = session;
    const own = await ownIdentity(ground);
    if (!own.privateKeys || !own.signed || own.changed) {
      // Not yet, or no more: the identity was replaced, on another device of mine or by somebody else.
      session.ready = false;
      session.outbox.stop();
      this.#become({ is: 'needs_recovery', ...(own.changed && { changed: true }) });
      return;
    }
    if (!session.ready) session.outbox.kick(true);
    session.ready = true;
    session.outbox.start();
    const { deviceId, kind } = this.#kept;
    const recoveryConfirmed = (await ground.store.get<boolean>('meta', 'recovery_confirmed')) ?? true;
    this.#become({
      is: 'ready',
      deviceId,
      userId: this.place.userId,
      kind,
      recoveryConfirmed,
      verified: own.verified,
    });
  }

  #become(state: TalkState): void {
    this.#state = state;
    this.#emit({ what: 'state' });
  }

  #emit(change: TalkChange): void {
    for (const hear of [...this.#listeners]) hear(change);
  }

  async #removed(): Promise<void> {
    await this.#lifecycle.run(async () => {
      const session = this.#session;
      if (!session) return;
      await this.#end(session);
      await wipeDevice(this.place, session.ground.deviceId, session.ground);
      this.#become({ is: 'removed' });
    });
  }

  async #end(session: Session): Promise<void> {
    this.#session = undefined;
    await session.stop();
    if (!this.#options.openMachine) session.ground.machine.olm.close();
  }

  /** @throws TalkError `not_ready` */
  protected ready(): Session {
    if (!this.#session?.ready) throw new TalkError('not_ready', 'Talk is not ready on this device');
    return this.#session;
  }

  protected opened(): Session {
    if (!this.#session) throw new TalkError('not_ready', 'Talk is not open');
    return this.#session;
  }

  /** For calls of the network that somebody waits for. */
  protected async ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asTalkError(error);
    }
  }

  async state(): Promise<TalkState> {
    return this.#state;
  }

  subscribe(hear: (change: TalkChange) => void): () => void {
    this.#listeners.add(hear);
    return () => this.#listeners.delete(hear);
  }

  begin(options: { name: string; kind: 'personal' | 'shared' }): Promise<{ recoverySecret: string | null }> {
    return this.#lifecycle.run(() =>
      this.ask(async () => {
        if (!this.#session) {
          const kept = await this.place.keep.find(this.place.userId);
          const made = kept ? { kept } : await makeDevice(this.place, options);
          await this.#open(made.kept, 'opened' in made ? made.opened : undefined);
        }
        // Also after a first try that was cut short: whatever is done is not done again.
        const session = this.opened();
        await session.prove();
        if (!session.ready || !(await hasNoSecrets(session.ground))) return { recoverySecret: null };
        const recoverySecret = await putNewSecret(session.ground);
        await this.#tellReady();
        return { recoverySecret };
      }),
    );
  }

  async confirmRecovery(): Promise<void> {
    await this.ready().ground.write(async (draft) => draft.put('meta', 'recovery_confirmed', true));
    await this.#tellReady();
  }

  async recover(secret: string): Promise<void> {
    const session = this.opened();
    await this.ask(() => takeSecrets(session.ground, secret));
    await this.#tellReady();
    // It is recovered by now; what it still has to read is read when the server is back.
    await session
      .settle()
      .catch((error: unknown) =>
        this.place.log('warn', 'talk_later', { what: 'settle', error: wordsOf(error) }),
      );
    await this.#tellReady();
  }

  async resetIdentity(password: string): Promise<{ recoverySecret: string }> {
    const session = this.opened();
    const { ground } = session;
    return this.ask(async () => {
      await makeIdentity(ground, password);
      await makeBackup(ground);
      await makeArchiveKey(ground);
      await archiveAll(ground);
      const recoverySecret = await putNewSecret(ground);
      await this.#tellReady();
      session.rest();
      return { recoverySecret };
    });
  }

  async newRecoverySecret(): Promise<string> {
    const { ground } = this.ready();
    const secret = await this.ask(() => putNewSecret(ground));
    await this.#tellReady();
    return secret;
  }

  async close(): Promise<void> {
    await this.#lifecycle.run(async () => {
      const session = this.#session;
      if (!session) return;
      await this.#end(session);
      session.ground.store.close();
      this.#become({ is: 'opening' });
    });
  }

  async wipe(): Promise<void> {
    await this.#lifecycle.run(async () => {
      const session = this.#session;
      const kept = this.#kept ?? (await this.place.keep.find(this.place.userId));
      if (!kept) return;
      // First for the server: what is wiped here and known there would be written to for ever.
      await this.place.rest
        .call('removeTalkDevice', { params: { id: kept.deviceId } })
        .catch((error: unknown) => this.place.log('warn', 'talk_remove_failed', { error: wordsOf(error) }));
      if (session) await this.#end(session);
      await wipeDevice(this.place, kept.deviceId, session?.ground);
      this.#kept = undefined;
      this.#become({ is: 'absent' });
    });
  }
}
