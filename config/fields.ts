/** Field types that both configuration files use. Units are in the field names; limits are stated here once. */
import { isIP } from 'node:net';
import { isAbsolute, normalize } from 'node:path';
import { z } from 'zod';
import type { Endpoint } from '../wire/endpoint.ts';
import { parseEndpoint } from '../wire/endpoint.ts';

const MAX_TIMEOUT_MS = 24 * 3600 * 1000;

/** A duration in milliseconds, 1 ms to 24 h. */
export const durationMs = (defaultMs: number) => z.int().min(1).max(MAX_TIMEOUT_MS).default(defaultMs);

export const count = (defaultCount: number, max: number, min = 1) => z.int().min(min).max(max).default(defaultCount);

/** An address whose scheme must be one of `kinds`. */
export function address<Kind extends Endpoint['kind']>(...kinds: readonly Kind[]) {
  return z.string().transform((text, context): Extract<Endpoint, { kind: Kind }> => {
    try {
      const endpoint = parseEndpoint(text);
      if ((kinds as readonly string[]).includes(endpoint.kind)) return endpoint as Extract<Endpoint, { kind: Kind }>;
      context.addIssue({ code: 'custom', message: `must be one of: ${kinds.map((kind) => `${kind}://`).join(', ')}` });
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
    return z.NEVER;
  });
}

/** The same for an address that is dialled: nobody listens on port 0, which asks the system for a free one. */
export function dialledAddress<Kind extends Endpoint['kind']>(...kinds: readonly Kind[]) {
  return address(...kinds).refine((endpoint: Endpoint) => endpoint.kind !== 'tcp' || endpoint.port > 0, {
    error: 'must have a port from 1 to 65535: port 0 cannot be connected to',
  });
}

/** A file inside the configuration's own folder: relative, and never out of it. */
export const fileInFolder = z
  .string()
  .min(1)
  .refine((path) => !isAbsolute(path) && !normalize(path).startsWith('..') && !path.includes('\0'), {
    error: 'must be a relative path inside the folder of this file',
  });

const DNS_NAME =
  /^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

/** Whom a certificate names. An IPv6 address has no brackets, and no zone: neither may stand in a certificate. */
export const certifiedName = z
  .string()
  .refine((name) => DNS_NAME.test(name) || (isIP(name) !== 0 && !name.includes('%')), {
    error: 'must be a DNS name or an IP address, as a subject alternative name of the certificate has it',
  });

/**
 * Connections to the database that there must be room for beside one for each session, on both ends: those of the health
 * probe, which would else call the database unreachable in a full house, and those that are just ending.
 */
export const DATABASE_HEADROOM = 10;

/**
 * Connections that host-proxy takes beside one for each session: as many as the front lets wait, and those that are just ending. So the
 * front, which sees certificates, chooses who goes, and a house full of sessions is not closed by those that are none.
 */
export const FRONT_HEADROOM = 300;

/** Bounds of one relay route (relay.md, "Route"), with so many connections more than a route for sessions has. */
export const routeLimitFields = (headroom = 0) => ({
  maxConnections: count(500 + headroom, 100_000 + headroom).describe('established at once; more are shed at accept'),
  maxPending: count(500 + headroom, 100_000 + headroom).describe('of these, not yet established at once'),
  connectTimeoutMs: durationMs(10_000),
  prefaceTimeoutMs: durationMs(5_000).describe(
    'from accept until what must come first is there: the first packet of a client, say',
  ),
  idleTimeoutMs: durationMs(2 * 3600 * 1000),
});

export const routeLimits = (headroom = 0) => z.strictObject(routeLimitFields(headroom)).prefault({});
