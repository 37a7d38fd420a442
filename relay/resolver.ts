/**
 * Names to addresses, on the main thread: DNS with its time to live, and the system's own lookup (which reads /etc/hosts) for
 * names without a dot and for those that DNS does not know.
 * Specification: relay.md, "Shape" (DNS).
 */
import { Resolver as DnsResolver, lookup } from 'node:dns/promises';

export interface ResolvedAddress {
  readonly family: 4 | 6;
  readonly address: string;
}

export interface Resolution {
  readonly addresses: readonly ResolvedAddress[];
  /** How long the answer may be used. */
  readonly ttlMs: number;
}

/** Turns a host name into addresses; rejects when there are none. The relay never asks for an IP literal. */
export interface Resolver {
  resolve(host: string, signal: AbortSignal): Promise<Resolution>;
}

const QUERY_TIMEOUT_MS = 2000;
const QUERY_TRIES = 2;
/** Bounds of what a record's time to live may ask for: neither a query for each connection, nor an answer for ever. */
const MIN_TTL_MS = 1000;
const MAX_TTL_MS = 300_000;
/** The system's lookup tells no time to live. */
const LOOKUP_TTL_MS = 10_000;

interface TimedRecord {
  readonly address: string;
  readonly ttl: number;
}

function toResolution(four: readonly TimedRecord[], six: readonly TimedRecord[]): Resolution {
  const ttlMs = Math.min(...[...four, ...six].map(({ ttl }) => ttl * 1000));
  return {
    addresses: [
      ...six.map(({ address }) => ({ family: 6, address }) as const),
      ...four.map(({ address }) => ({ family: 4, address }) as const),
    ],
    ttlMs: Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, ttlMs)),
  };
}

async function resolveByDns(host: string, signal: AbortSignal): Promise<Resolution | undefined> {
  const resolver = new DnsResolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const [four, six] = await Promise.all([
      resolver.resolve4(host, { ttl: true }).catch(() => []),
      resolver.resolve6(host, { ttl: true }).catch(() => []),
    ]);
    return four.length + six.length > 0 ? toResolution(four, six) : undefined;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function resolveBySystem(host: string): Promise<Resolution> {
  const found = await lookup(host, { all: true, order: 'verbatim' });
  return {
    addresses: found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })),
    ttlMs: LOOKUP_TTL_MS,
  };
}

export const systemResolver: Resolver = {
  async resolve(host, signal) {
    const known = host.includes('.') ? await resolveByDns(host, signal) : undefined;
    signal.throwIfAborted();
    return known ?? (await resolveBySystem(host));
  },
};
