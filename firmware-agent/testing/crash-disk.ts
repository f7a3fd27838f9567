/**
 * A file system that forgets what was not synced: the queue's tests cut the power after any single step. What a real
 * disk may do to unsynced bytes is drawn from `draw`: nothing, a part, zeros, or rubbish of them may be there afterwards;
 * of unsynced names, any number of the last operations may be undone, never ones before them.
 */
import type { Disk } from '../src/queue/disk.ts';

export class PowerCut extends Error {}

type Inode = { data: Buffer; synced: Buffer };
type Names = Map<string, Inode>;

export class CrashDisk implements Disk {
  #names: Names = new Map();
  /** States of the directory since it was last synced, oldest first; the first is durable. */
  #history: Names[] = [new Map()];
  #steps = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  readonly #draw: (below: number) => number;

  constructor(draw: (below: number) => number) {
    this.#draw = draw;
  }

  get steps(): number {
    return this.#steps;
  }

  /** The power goes before the given step from now on is done, or, for writes, somewhere inside it. */
  cutAfter(steps: number): void {
    this.#cutAt = this.#steps + steps;
  }

  /** What is found after the power is back. */
  reboot(): void {
    this.#names = new Map(this.#history[this.#draw(this.#history.length)]);
    for (const inode of new Set(this.#names.values())) {
      inode.data = Buffer.concat([inode.synced, this.#remains(inode.data.subarray(inode.synced.length))]);
      inode.synced = inode.data;
    }
    this.#history = [new Map(this.#names)];
    this.#cutAt = Number.POSITIVE_INFINITY;
  }

  /** Changes one byte of a file, as a worn-out flash cell does. */
  rot(name: string, at: number): void {
    const inode = this.#names.get(name);
    if (!inode) return;
    inode.data = Buffer.from(inode.data);
    inode.data[at] = (inode.data[at] ?? 0) ^ 0xff;
    inode.synced = inode.data;
  }

  lose(name: string): void {
    this.#names.delete(name);
    this.#history = [new Map(this.#names)];
  }

  size(name: string): number {
    return this.#names.get(name)?.data.length ?? 0;
  }

  async list(): Promise<string[]> {
    await this.#step();
    return [...this.#names.keys()];
  }

  async read(name: string): Promise<Buffer | undefined> {
    await this.#step();
    const inode = this.#names.get(name);
    return inode ? Buffer.from(inode.data) : undefined;
  }

  async append(name: string, data: Buffer): Promise<void> {
    const inode = this.#open(name);
    const cut = this.#isCut();
    inode.data = Buffer.concat([inode.data, cut ? data.subarray(0, this.#draw(data.length + 1)) : data]);
    await this.#step();
  }

  async sync(name: string): Promise<void> {
    await this.#step();
    const inode = this.#open(name);
    inode.synced = inode.data;
  }

  async syncNames(): Promise<void> {
    await this.#step();
    this.#history = [new Map(this.#names)];
  }

  async truncate(name: string, size: number): Promise<void> {
    await this.#step();
    const inode = this.#open(name);
    inode.data = inode.data.subarray(0, size);
    inode.synced = inode.data;
  }

  async replace(name: string, data: Buffer): Promise<void> {
    await this.append(`${name}.tmp`, data);
    await this.sync(`${name}.tmp`);
    const inode = this.#open(`${name}.tmp`);
    this.#names.delete(`${name}.tmp`);
    this.#names.set(name, inode);
    this.#history.push(new Map(this.#names));
    await this.syncNames();
  }

  async write(name: string, data: Buffer): Promise<void> {
    await this.#step();
    this.#names.set(name, { data: Buffer.from(data), synced: Buffer.alloc(0) });
    this.#history.push(new Map(this.#names));
  }

  async remove(name: string): Promise<void> {
    await this.#step();
    this.#names.delete(name);
    this.#history.push(new Map(this.#names));
  }

  async close(): Promise<void> {
    // Nothing is held open.
  }

  #open(name: string): Inode {
    const inode = this.#names.get(name) ?? { data: Buffer.alloc(0), synced: Buffer.alloc(0) };
    if (!this.#names.has(name)) {
      this.#names.set(name, inode);
      this.#history.push(new Map(this.#names));
    }
    return inode;
  }

  #isCut(): boolean {
    return this.#steps + 1 >= this.#cutAt;
  }

  async #step(): Promise<void> {
    if (this.#isCut()) throw new PowerCut('The power is off');
    this.#steps += 1;
  }

  #remains(unsynced: Buffer): Buffer {
    const part = Buffer.from(unsynced.subarray(0, this.#draw(unsynced.length + 1)));
    const from = this.#draw(part.length + 1);
    const kind = this.#draw(3);
    if (kind === 1) part.fill(0, from);
    if (kind === 2) for (let at = from; at < part.length; at += 7) part[at] = this.#draw(256);
    return part;
  }
}
