/**
 * Names to addresses, on the main thread, as the rest of the machine sees them: by getaddrinfo(3), which follows nsswitch.conf
 * (/etc/hosts first, as a rule), resolv.conf and whatever else the machine's administrator set. Asking DNS beside it would find
 * other addresses than every other program, `acra-enclave doctor` included.
 * Specification: relay.md, "Shape" (names).
 */
import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { untilAborted } from '../runtime/abort.ts';

export interface ResolvedAddress {
  readonly family: 4 | 6;
  readonly address: string;
}

export interface Resolution {
  readonly addresses: readonly ResolvedAddress[];
  /** How long the answer is used without asking again. */
  readonly ttlMs: number;
}

/** Turns a host name into addresses; rejects when there are none. The relay never asks for an IP literal. */
export interface Resolver {
  resolve(host: string, signal: AbortSignal): Promise<Resolution>;
}

/** The system's lookup, every address in the system's order. */
export type SystemLookup = (host: string) => Promise<readonly LookupAddress[]>;

/** getaddrinfo(3) tells no time to live; what caches for the system (systemd-resolved, nscd) keeps the records' own. */
const LOOKUP_TTL_MS = 10_000;

/** gai_strerror(3) EAI_NONAME and EAI_NODATA as Node names them: the name has no address, for certain. */
const FINAL_CODES: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA']);

/** Whether a rejection means that the name has no address, and not that it could not be found out. */
export function isFinalFailure(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FINAL_CODES.has(error.code);
}

export function createResolver(systemLookup: SystemLookup): Resolver {
  return {
    async resolve(host, signal) {
      signal.throwIfAborted();
      // getaddrinfo(3) can't be called off: whoever waits is let go, and its answer is thrown away.
      const found = await untilAborted(systemLookup(host), signal);
      return {
        addresses: found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })),
        ttlMs: LOOKUP_TTL_MS,
      };
    },
  };
}

export const systemResolver = createResolver((host) => lookup(host, { all: true, order: 'verbatim' }));
