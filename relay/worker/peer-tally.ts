/**
 * The connections of a route by the address of their peers: how many each has, and which have not said yet what they want, oldest
 * first. A JavaScript Set keeps the order of insertion, so its first element is the oldest.
 */

export interface FromPeer {
  /** undefined: of a transport without addresses, which no limit by address can count. */
  readonly peer: { readonly address: string | undefined };
}

export class PeerTally<Item extends FromPeer> {
  readonly #connections = new Map<string, number>();
  readonly #silent = new Set<Item>();
  readonly #silentByAddress = new Map<string, Set<Item>>();

  get silent(): number {
    return this.#silent.size;
  }

  connectionsOf(address: string): number {
    return this.#connections.get(address) ?? 0;
  }

  silentOf(address: string): number {
    return this.#silentByAddress.get(address)?.size ?? 0;
  }

  /** Of one address, or of all. */
  oldestSilent(address?: string): Item | undefined {
    const set = address === undefined ? this.#silent : this.#silentByAddress.get(address);
    return set?.values().next().value;
  }

  isSilent(item: Item): boolean {
    return this.#silent.has(item);
  }

  add({ peer: { address } }: Item): void {
    if (address !== undefined) this.#connections.set(address, this.connectionsOf(address) + 1);
  }

  remove({ peer: { address } }: Item): void {
    if (address === undefined) return;
    const left = this.connectionsOf(address) - 1;
    if (left > 0) this.#connections.set(address, left);
    else this.#connections.delete(address);
  }

  addSilent(item: Item): void {
    const { address } = item.peer;
    this.#silent.add(item);
    if (address === undefined) return;
    const set = this.#silentByAddress.get(address) ?? new Set();
    this.#silentByAddress.set(address, set.add(item));
  }

  /** @returns whether it was silent. */
  removeSilent(item: Item): boolean {
    if (!this.#silent.delete(item)) return false;
    const { address } = item.peer;
    const set = address === undefined ? undefined : this.#silentByAddress.get(address);
    if (address !== undefined && set?.delete(item) && set.size === 0) this.#silentByAddress.delete(address);
    return true;
  }
}
