/** The connections of a route by the address of their peers: how many each has, and which may have to make room for others. */
import { OldestFirst } from '../../runtime/oldest-first.ts';

export interface FromPeer {
  /** undefined: of a transport without addresses, which no limit by address can count. */
  readonly peer: { readonly address: string | undefined };
}

export class PeerTally<Item extends FromPeer> {
  /** Have not said yet what they want. */
  readonly silent = new OldestFirst<Item>();
  /** Have a place, and may not have become sessions. */
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
