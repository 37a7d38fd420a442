/**
 * The connections of a route by the address of their peers: how many each has, and which may have to make room for others, oldest
 * first. A JavaScript Set keeps the order of insertion, so its first element is the oldest.
 */

export interface FromPeer {
  /** undefined: of a transport without addresses, which no limit by address can count. */
  readonly peer: { readonly address: string | undefined };
}

/** A queue that can be asked for the oldest of one address, or of all. */
class OldestFirst<Item extends FromPeer> {
  readonly #all = new Set<Item>();
  readonly #byAddress = new Map<string, Set<Item>>();

  get size(): number {
    return this.#all.size;
  }

  has(item: Item): boolean {
    return this.#all.has(item);
  }

  countOf(address: string): number {
    return this.#byAddress.get(address)?.size ?? 0;
  }

  oldest(address?: string): Item | undefined {
    const set = address === undefined ? this.#all : this.#byAddress.get(address);
    return set?.values().next().value;
  }

  add(item: Item): void {
    const { address } = item.peer;
    this.#all.add(item);
    if (address === undefined) return;
    const set = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, set.add(item));
  }

  /** @returns whether it was there. */
  delete(item: Item): boolean {
    if (!this.#all.delete(item)) return false;
    const { address } = item.peer;
    const set = address === undefined ? undefined : this.#byAddress.get(address);
    if (address !== undefined && set?.delete(item) && set.size === 0) this.#byAddress.delete(address);
    return true;
  }
}

export class PeerTally<Item extends FromPeer> {
  /** Have not said yet what they want. */
  readonly silent = new OldestFirst<Item>();
  /** Were opened, and may not have become sessions. */
  readonly unproven = new OldestFirst<Item>();
  readonly #connections = new Map<string, number>();

  connectionsOf(address: string): number {
    return this.#connections.get(address) ?? 0;
  }

  add({ peer: { address } }: Item): void {
    if (address !== undefined) this.#connections.set(address, this.connectionsOf(address) + 1);
  }

  remove(item: Item): void {
    this.unproven.delete(item);
    const { address } = item.peer;
    if (address === undefined) return;
    const left = this.connectionsOf(address) - 1;
    if (left > 0) this.#connections.set(address, left);
    else this.#connections.delete(address);
  }
}
