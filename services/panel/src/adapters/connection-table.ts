/** Who may be connected: bounds in all and per address. When full, the longest idle connection makes room, so that an attacker who holds them all cannot keep a panel out. */

export type Limits = { connectionsMax: number; perAddressMax: number };
export type Entry = {
  address: string;
  lastActiveMs: number;
  openFrames: number;
  cut: (reason: string) => void;
};

export class ConnectionTable {
  readonly #limits: Limits;
  readonly #entries = new Set<Entry>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @returns false when the address has too many, or when no connection is idle enough to make room. */
  admit(entry: Entry): boolean {
    if ((this.#perAddress.get(entry.address) ?? 0) >= this.#limits.perAddressMax) return false;
    if (this.#entries.size >= this.#limits.connectionsMax && !this.#makeRoom()) return false;
    this.#entries.add(entry);
    this.#perAddress.set(entry.address, (this.#perAddress.get(entry.address) ?? 0) + 1);
    return true;
  }

  remove(entry: Entry): void {
    if (!this.#entries.delete(entry)) return;
    const left = (this.#perAddress.get(entry.address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(entry.address, left);
    else this.#perAddress.delete(entry.address);
  }

  all(): Entry[] {
    return [...this.#entries];
  }

  #makeRoom(): boolean {
    let oldest: Entry | undefined;
    for (const entry of this.#entries) {
      if (entry.openFrames === 0 && (!oldest || entry.lastActiveMs < oldest.lastActiveMs)) oldest = entry;
    }
    if (!oldest) return false;
    this.remove(oldest);
    oldest.cut('room_needed');
    return true;
  }
}
