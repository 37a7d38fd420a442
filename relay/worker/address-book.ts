/**
 * Addresses of upstream names. The names are resolved outside the worker: a miss asks once, however many connections wait for the
 * answer, and accepting goes on meanwhile. An answer that was known is used past its time to live while a new one is asked for,
 * so that a slow or silent DNS server holds no session up; a failure is kept for a moment, so that it is not met by each.
 * Specification: relay.md, "Shape" (names); the bounds follow RFC 8767 section 5.
 */
import type { ResolvedAddress } from '../resolver.ts';

export type AddressAnswer =
  | { readonly addresses: readonly ResolvedAddress[]; readonly ttlMs: number }
  /** `isFinal`: the name is known to have no address; else it could not be found out. */
  | { readonly failure: string; readonly isFinal: boolean };

/** "Maximum stale timer": one to three days are suggested. */
const MAX_STALE_MS = 24 * 3600 * 1000;
/** "Failure recheck timer": not again before, while an older answer serves. */
const REFRESH_RETRY_MS = 30_000;
/** The same when nothing is known: connections fail at once meanwhile. */
const FAILURE_MS = 2_000;
/** An answer that leads nowhere is not asked for anew before it has this age. */
const MIN_DOUBT_MS = 1_000;

interface Entry<Waiter> {
  answer: AddressAnswer | undefined;
  learnedMs: number;
  /** Not asked for before. */
  freshUntilMs: number;
  /** Not used after. */
  usableUntilMs: number;
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

  /** What is known of the host; else undefined, and `waiter` is among those that `learn` returns. */
  lookup(host: string, nowMs: number, waiter: Waiter): AddressAnswer | undefined {
    const entry = this.#entryOf(host);
    if (entry.freshUntilMs <= nowMs) this.#askOnce(host, entry);
    if (entry.answer !== undefined && entry.usableUntilMs > nowMs) return entry.answer;
    entry.waiters.add(waiter);
    return undefined;
  }

  /** A connection that waited is gone. */
  forget(host: string, waiter: Waiter): void {
    this.#entries.get(host)?.waiters.delete(waiter);
  }

  /** None of the addresses took a connection: the name may have moved. */
  doubt(host: string, nowMs: number): void {
    const entry = this.#entries.get(host);
    if (entry === undefined || nowMs - entry.learnedMs < MIN_DOUBT_MS) return;
    entry.freshUntilMs = Math.min(entry.freshUntilMs, nowMs);
    this.#askOnce(host, entry);
  }

  /** Takes an answer in. @returns who waited for it. */
  learn(host: string, answer: AddressAnswer, nowMs: number): readonly Waiter[] {
    const entry = this.#entries.get(host);
    if (entry === undefined) return [];
    entry.isAsked = false;
    entry.learnedMs = nowMs;
    if ('addresses' in answer) this.#replace(entry, answer, nowMs + answer.ttlMs, MAX_STALE_MS);
    else if (answer.isFinal || !this.#servesStale(entry, nowMs)) this.#replace(entry, answer, nowMs + FAILURE_MS, 0);
    else entry.freshUntilMs = nowMs + REFRESH_RETRY_MS;
    const waiters = [...entry.waiters];
    entry.waiters.clear();
    return waiters;
  }

  #entryOf(host: string): Entry<Waiter> {
    const known = this.#entries.get(host);
    if (known !== undefined) return known;
    const never = Number.NEGATIVE_INFINITY;
    const entry = { answer: undefined, learnedMs: never, freshUntilMs: never, usableUntilMs: never, isAsked: false };
    const added: Entry<Waiter> = { ...entry, waiters: new Set() };
    this.#entries.set(host, added);
    return added;
  }

  #askOnce(host: string, entry: Entry<Waiter>): void {
    if (entry.isAsked) return;
    entry.isAsked = true;
    this.#ask(host);
  }

  #replace(entry: Entry<Waiter>, answer: AddressAnswer, freshUntilMs: number, staleMs: number): void {
    entry.answer = answer;
    entry.freshUntilMs = freshUntilMs;
    entry.usableUntilMs = freshUntilMs + staleMs;
  }

  #servesStale(entry: Entry<Waiter>, nowMs: number): boolean {
    return entry.answer !== undefined && 'addresses' in entry.answer && entry.usableUntilMs > nowMs;
  }
}
