/**
 * Addresses of upstream names, kept for their time to live. The names are resolved outside the worker: a miss asks once,
 * however many connections wait for the answer, and accepting goes on meanwhile.
 * Specification: relay.md, "Shape" (DNS).
 */
import type { ResolvedAddress } from '../resolver.ts';

export type AddressAnswer =
  | { readonly addresses: readonly ResolvedAddress[]; readonly ttlMs: number }
  | { readonly failure: string };

interface Entry<Waiter> {
  addresses: readonly ResolvedAddress[];
  expiresMs: number;
  isAsked: boolean;
  readonly waiters: Set<Waiter>;
}

export class AddressBook<Waiter> {
  readonly #entries = new Map<string, Entry<Waiter>>();
  readonly #ask: (host: string) => void;

  /** @param ask starts a resolution, which must end in `learn`. */
  constructor(ask: (host: string) => void) {
    this.#ask = ask;
  }

  /** The addresses if they are known and fresh; else undefined, and `waiter` is among those that `learn` returns. */
  lookup(host: string, nowMs: number, waiter: Waiter): readonly ResolvedAddress[] | undefined {
    const entry = this.#entries.get(host) ?? { addresses: [], expiresMs: 0, isAsked: false, waiters: new Set() };
    this.#entries.set(host, entry);
    if (entry.expiresMs > nowMs) return entry.addresses;
    entry.waiters.add(waiter);
    if (!entry.isAsked) {
      entry.isAsked = true;
      this.#ask(host);
    }
    return undefined;
  }

  /** A connection that waited is gone. */
  forget(host: string, waiter: Waiter): void {
    this.#entries.get(host)?.waiters.delete(waiter);
  }

  /** Takes an answer in. @returns who waited for it. */
  learn(host: string, answer: AddressAnswer, nowMs: number): readonly Waiter[] {
    const entry = this.#entries.get(host);
    if (entry === undefined) return [];
    entry.isAsked = false;
    if ('addresses' in answer) {
      entry.addresses = answer.addresses;
      entry.expiresMs = nowMs + answer.ttlMs;
    }
    const waiters = [...entry.waiters];
    entry.waiters.clear();
    return waiters;
  }
}
