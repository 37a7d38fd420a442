/**
 * Addresses of which somebody came and left without having been served, until one of them is. A flood from many addresses is of nothing
 * else, so that it makes room for clients that come now and then; whoever has met a bad network is among strangers until his next session.
 */

/** Who has left longest ago is forgotten for one more. */
const MAX_ADDRESSES = 10_000;

export class CameForNothing {
  readonly #addresses = new Set<string>();

  has(address: string | undefined): boolean {
    return address !== undefined && this.#addresses.has(address);
  }

  note(address: string): void {
    this.#addresses.delete(address);
    this.#addresses.add(address);
    if (this.#addresses.size <= MAX_ADDRESSES) return;
    const [oldest = address] = this.#addresses;
    this.#addresses.delete(oldest);
  }

  /** @returns whether it was there. */
  forget(address: string): boolean {
    return this.#addresses.delete(address);
  }
}
