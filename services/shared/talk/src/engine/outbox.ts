/**
 * What has to leave this device. Jobs lie in the tables until the server has them, so a closed lid loses none; ids make sending
 * twice harmless. One lane for each conversation: in it all goes in order, and one that is stuck holds up only its own. Files go up
 * beside it, so that what is written after a large one does not wait for it; their message goes when they are there.
 */
import { TalkError, type TalkErrorCode } from '../api.ts';
import type { Ground } from './ground.ts';
import { failureOf, wordsOf, type Failure } from './failures.ts';
import { jobOrder, type Job, type StoredMessage } from './records.ts';
import { saveMessage } from './save.ts';
import type { Draft } from './store.ts';

/** First wait after a failure, and the longest: short enough that nobody sends by hand, long enough to leave a busy box alone. */
const waitMs = { first: 500, longest: 60_000 };
/** A lane is looked at again after so long although nothing asked for it: a blocked one may be free. */
const lookAgainMs = 30_000;
/** Lanes at once: enough that some that hang hold up no other, few enough for a busy box and the encryption of one device. */
const sendsMax = 4;
/** Uploads at once, apart: each takes the line and some memory. */
const uploadsMax = 2;
/** Receipts of what comes within this go together: each costs an encryption for every device of the writer. */
const gatherMs = 300;
/** Ids in one receipt, as its schema has it. */
const receiptIdsMax = 200;

type NewJob = Job extends infer J ? (J extends Job ? Omit<J, 'seq'> : never) : never;
/** Sends one job. Throws what the port throws, and TalkError. */
type Send = (job: Job) => Promise<void>;

type Lane = { failures: number; notBefore: number };

export class Outbox {
  readonly #ground: Ground;
  readonly #send: Send;
  readonly #reattach: () => Promise<void>;
  readonly #jobs = new Map<string, Job>();
  readonly #lanes = new Map<string, Lane>();
  #seq = 0;
  #running = false;
  #loops = 0;
  #woken = false;
  #wake: (() => void) | undefined;
  /** By lane: the job that is under way. */
  readonly #underWay = new Map<string, string>();

  constructor(ground: Ground, send: Send, reattach: () => Promise<void>) {
    this.#ground = ground;
    this.#send = send;
    this.#reattach = reattach;
  }

  async load(): Promise<void> {
    const rows = await this.#ground.store.range<Job>('outbox', 'q|', 'q}');
    for (const { value } of rows) {
      this.#jobs.set(value.id, value);
      this.#seq = Math.max(this.#seq, value.seq);
    }
  }

  /** Messages and all else that has not left. */
  get waiting(): number {
    return [...this.#jobs.values()].filter((job) => job.failed === undefined).length;
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** In the transaction of whatever makes it necessary. Answers its place in the queue. */
  add(draft: Draft, job: NewJob): number {
    this.#seq += 1;
    const numbered = { ...job, seq: this.#seq };
    this.put(draft, numbered);
    return this.#seq;
  }

  put(draft: Draft, job: Job): void {
    draft.put('outbox', job.id, job, jobOrder(job.seq));
    draft.after(() => {
      this.#jobs.set(job.id, job);
      this.kick();
    });
  }

  /** Tells the writer that these are here: with a receipt that has not left yet, or one that waits a moment for more. */
  confirm(draft: Draft, to: string, conv: string, ids: readonly string[]): void {
    const open = [...this.#jobs.values()].find(
      (job) => this.#underWay.get(laneOf(job)) !== job.id && takesMore(job, to, conv, ids.length),
    );
    if (open?.job === 'olm' && open.content.t === 'receipt') {
      const targets = [...open.content.targets, ...ids];
      this.put(draft, { ...open, content: { ...open.content, targets } });
      return;
    }
    const id = this.#ground.place.randomUuid();
    const content = { t: 'receipt' as const, state: 'delivered' as const, targets: [...ids] };
    this.add(draft, { job: 'olm', id, to, devices: null, conv, content });
    const lane = `olm:${to}`;
    if (!this.#lanes.has(lane))
      this.#lanes.set(lane, { failures: 0, notBefore: this.#ground.place.now() + gatherMs });
  }

  /** To the end of its lane, as if it were new. */
  again(draft: Draft, job: Job): number {
    const { failed: _failed, ...rest } = job;
    return this.add(draft, rest);
  }

  remove(draft: Draft, id: string): void {
    draft.remove('outbox', id);
    draft.after(() => this.#jobs.delete(id));
  }

  /** Look now: something new, or the server is back. @param fresh forget that there were failures */
  kick(fresh = false): void {
    if (fresh) this.#lanes.clear();
    this.#woken = true;
    this.#wake?.();
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#loop((this.#loops += 1));
  }

  stop(): void {
    this.#running = false;
    this.kick();
  }

  async #loop(mine: number): Promise<void> {
    // One that was stopped and has not ended yet does not go on beside a new one.
    while (this.#running && mine === this.#loops && !this.#ground.closed) {
      this.#woken = false;
      const job = this.#ground.place.socket.connected() ? this.#next() : undefined;
      if (job) this.#begin(job);
      else if (!this.#woken) await this.#sleep();
    }
  }

  async #sleep(): Promise<void> {
    const kicked = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    const now = this.#ground.place.now();
    const soonest = Math.min(lookAgainMs, ...[...this.#lanes.values()].map((lane) => lane.notBefore - now));
    await Promise.race([kicked, this.#ground.place.wait(Math.max(soonest, 20))]);
    this.#wake = undefined;
  }

  #begin(job: Job): void {
    const lane = laneOf(job);
    this.#underWay.set(lane, job.id);
    void this.#try(job).finally(() => {
      this.#underWay.delete(lane);
      this.kick();
    });
  }

  /** Whether one more of this kind may be under way. */
  #hasRoom(lane: string): boolean {
    const uploads = [...this.#underWay.keys()].filter(isUpload).length;
    return isUpload(lane) ? uploads < uploadsMax : this.#underWay.size - uploads < sendsMax;
  }

  /** The oldest job at the head of a lane that may go. */
  #next(): Job | undefined {
    const now = this.#ground.place.now();
    const taken = new Set<string>();
    for (const job of [...this.#jobs.values()].sort((a, b) => a.seq - b.seq)) {
      if (job.failed !== undefined) continue;
      const lane = laneOf(job);
      if (taken.has(lane)) continue;
      taken.add(lane);
      if (this.#underWay.has(lane) || !this.#hasRoom(lane)) continue;
      const { notBefore = 0 } = this.#lanes.get(lane) ?? {};
      // A clock that was set back must not make anything wait for hours.
      if (notBefore <= now || notBefore > now + waitMs.longest) return job;
    }
    return undefined;
  }

  async #try(job: Job): Promise<void> {
    try {
      await this.#send(job);
      this.#lanes.delete(laneOf(job));
    } catch (error) {
      await this.#failed(job, error).catch((failed: unknown) =>
        this.#ground.place.log('error', 'talk_send_unsettled', { error: wordsOf(failed) }),
      );
    }
  }

  async #failed(job: Job, error: unknown): Promise<void> {
    if (this.#ground.closed) return;
    const failure = error instanceof TalkError ? failureOfTalk(error.code) : failureOf(error);
    this.#ground.place.log('info', 'talk_send_failed', { job: job.job, failure, error: wordsOf(error) });
    if (failure === 'unattached') await this.#reattach().catch(() => undefined);
    if (failure === 'refused' || failure === 'not_found' || failure === 'gone') {
      await this.#giveUp(job, wordsOf(error));
      return;
    }
    this.#wait(laneOf(job));
  }

  #wait(key: string): void {
    const lane = this.#lanes.get(key) ?? { failures: 0, notBefore: 0 };
    const ms = Math.min(waitMs.longest, waitMs.first * 2 ** lane.failures);
    const [chance = 0] = this.#ground.place.randomBytes(1);
    // Half to whole of it: devices that lost the server together do not come back together.
    const notBefore = this.#ground.place.now() + ms * (0.5 + chance / 512);
    this.#lanes.set(key, { failures: lane.failures + 1, notBefore });
  }

  async #giveUp(job: Job, words: string): Promise<void> {
    await this.#ground.write(async (draft) => {
      if (job.job !== 'message') {
        this.remove(draft, job.id);
        return;
      }
      // As it is now: a part of its files may have been uploaded.
      const now = this.#jobs.get(job.id) ?? job;
      if (now.job !== 'message') return;
      this.put(draft, { ...now, n: null, failed: words });
      const message = await draft.get<StoredMessage>('messages', job.id);
      if (message) saveMessage(this.#ground, draft, { ...message, delivery: { failed: words } });
    });
  }
}

function takesMore(job: Job, to: string, conv: string, count: number): boolean {
  if (job.job !== 'olm' || job.to !== to || job.conv !== conv || job.devices !== null) return false;
  const { content } = job;
  return (
    content.t === 'receipt' &&
    content.state === 'delivered' &&
    content.targets.length + count <= receiptIdsMax
  );
}

const isUpload = (lane: string): boolean => lane.startsWith('up:');

/** What must keep its order among itself. */
function laneOf(job: Job): string {
  switch (job.job) {
    case 'message':
      return job.file || job.thumbnail ? `up:${job.id}` : job.conv;
    case 'olm':
    case 'again':
      return `olm:${job.to}`;
    case 'plain':
      return `olm:${job.lane}`;
    case 'read':
      return `read:${job.room}`;
  }
}

/** Changed keys wait until somebody has looked; who is no member or has no device is told at once. */
const failureOfTalk = (code: TalkErrorCode): Failure =>
  code === 'keys_changed' || code === 'offline' || code === 'not_ready' ? 'later' : 'refused';
