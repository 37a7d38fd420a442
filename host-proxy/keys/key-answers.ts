/** What the daemon answers operators about keys over the command socket, as JSON of one line. Typed once for both ends, and checked by both. */
import { z } from 'zod';
import { keysStatus } from './keys-status.ts';

const named = z.object({ generation: z.int(), sha256: z.string() });
const reason = z.object({ code: z.string().nullable(), message: z.string() });

/** Of `keys-status`: what the parent has, and what the enclave says now. */
export const keysReport = z.object({
  parent: keysStatus,
  enclave: z.object({ taken: named.nullable(), ceremony: z.boolean() }).nullable(),
  /** Why the enclave says nothing. */
  silent: reason.nullable(),
  /** The boot phase that it is in, and what it waits for. */
  phase: z.string().nullable(),
  detail: z.string().nullable(),
});
export type KeysReport = z.infer<typeof keysReport>;

/** Of `keys-list`, from the oldest generation to the newest. */
export const keysListing = z.object({
  folder: z.string(),
  sets: z.array(
    named.extend({
      name: z.string(),
      previous: z.string().nullable(),
      action: z.string(),
      request: z.string(),
      approvedBy: z.array(z.string()),
      madeAtMs: z.number(),
      clients: z.int(),
      /** The enclave works with it. */
      inUse: z.boolean(),
      /** It is the one that is brought first. */
      broughtFirst: z.boolean(),
    }),
  ),
  damaged: z.array(z.object({ name: z.string(), reason: z.string() })),
  head: z.string().nullable(),
});
export type KeysListing = z.infer<typeof keysListing>;

/** Of `key-set`: the one that is brought first, both base64. */
export const firstKeySet = z.object({ keySet: z.base64(), transcript: z.base64() });
export type FirstKeySet = z.infer<typeof firstKeySet>;

const ended = { head: z.string().nullable() };

/** Of `change-keys`. */
export const changeAnswer = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('made'),
    /** Both base64, as the enclave handed them out. */
    keySet: z.base64(),
    transcript: z.base64(),
    /** Of its folder. */
    name: z.string(),
    /** Whether the enclave works with it. */
    taken: z.boolean(),
    /** Why not. */
    problem: reason.nullable(),
    ...ended,
  }),
  z.object({ kind: z.literal('changed'), what: z.string(), ...ended }),
]);
export type ChangeAnswer = z.infer<typeof changeAnswer>;

/** Of `load-share`. */
export const shareAnswer = z.object({
  /** Operators whose shares the enclave has. */
  loaded: z.array(z.string()),
  needed: z.int(),
  /** Whether the enclave works with the set. */
  taken: z.boolean(),
  /** Why not, though there are shares enough. */
  problem: reason.nullable(),
  ...ended,
});
export type ShareAnswer = z.infer<typeof shareAnswer>;
