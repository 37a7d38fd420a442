/**
 * Loopback addresses that stand for names, for programs that ignore proxies: each allowed name gets the next one when it is first asked for,
 * and keeps it. The table is bounded; when it is full, the name that was asked for longest ago gives its address up, unless a connection to
 * it is open or somebody may still remember the address. Specification: docs/specs/egress.md, 6.
 */
import type { Clock } from '../../runtime/clock.ts';
import { addressBytes, formatAddress } from '../../wire/networks.ts';

const MAX_NAMES = 1_024;
/** A program that keeps an address for longer than this after it asked reaches the name that has it by then. */
const REMEMBERED_MS = 3_600_000;

export interface KnownName {
  readonly name: string;
  readonly address: string;
}

interface Entry extends KnownName {
  askedMs: number;
  connections: number;
}

export class Names {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #base: number;
  readonly #size: number;
  /** In the order in which they were last asked for. */
  readonly #entries = new Map<string, Entry>();
  readonly #byAddress = new Map<string, Entry>();
  #next = 1;
  /** Given back by names that could not be listened for. */
  readonly #returned: string[] = [];

  /** @param network of IPv4; its first and last addresses are not used */
  constructor(network: string, clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
    const [base = '', prefix] = network.split('/');
    this.#base = addressBytes(base)?.readUInt32BE(0) ?? 0;
    this.#size = Math.min(MAX_NAMES, 2 ** (32 - Number(prefix)) - 2);
  }

  /** Undefined when every address is in use. `given` is new when the name has just got its address. */
  ask(name: string): { readonly given: KnownName; readonly isNew: boolean; readonly dropped?: KnownName } | undefined {
    const known = this.#entries.get(name);
    if (known !== undefined) {
      this.#touch(known);
      return { given: known, isNew: false };
    }
    const dropped = this.#entries.size < this.#size ? undefined : this.#oldest();
    if (this.#entries.size >= this.#size && dropped === undefined) return undefined;
    if (dropped !== undefined) this.#forget(dropped);
    const entry = { name, address: dropped?.address ?? this.#nextAddress(), askedMs: 0, connections: 0 };
    this.#byAddress.set(entry.address, entry);
    this.#touch(entry);
    return { given: entry, isNew: true, ...(dropped === undefined ? {} : { dropped }) };
  }

  /** A connection to the address has begun. @returns what ends it; undefined where no name has the address */
  hold(address: string): { readonly name: string; release(): void } | undefined {
    const entry = this.#byAddress.get(address);
    if (entry === undefined) return undefined;
    entry.connections += 1;
    return {
      name: entry.name,
      release: () => {
        entry.connections -= 1;
        if (this.#byAddress.get(address) === entry) this.#touch(entry);
      },
    };
  }

  forget(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#forget(entry);
    this.#returned.push(entry.address);
  }

  get size(): number {
    return this.#entries.size;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.name);
    this.#byAddress.delete(entry.address);
  }

  #touch(entry: Entry): void {
    entry.askedMs = this.#clock.monotonicMs();
    this.#entries.delete(entry.name);
    this.#entries.set(entry.name, entry);
  }

  #oldest(): Entry | undefined {
    const nowMs = this.#clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      if (nowMs - entry.askedMs < REMEMBERED_MS) return undefined;
      if (entry.connections === 0) return entry;
    }
    return undefined;
  }

  #nextAddress(): string {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#base + this.#next);
    this.#next += 1;
    return formatAddress(bytes);
  }
}
