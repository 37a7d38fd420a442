/** How the keys that this instance keeps are: for status, metrics and the commands. */
import { z } from 'zod';

const named = z.object({ generation: z.int(), sha256: z.string() });

export const keysStatus = z.object({
  folder: z.string(),
  /** How many whole key sets there are. */
  sets: z.int(),
  /** The one that is brought first. */
  newest: named.nullable(),
  /** What the enclave works with, as it said in this boot. */
  taken: named.nullable(),
  /** Why it does not work with the newest. `code` is one of docs/errors.md, of whichever end found it. */
  problem: z.object({ code: z.string().nullable(), message: z.string() }).nullable(),
  /** Folders that hold no whole set. */
  damaged: z.int(),
  /** Generations of which there are several sets. */
  doubled: z.array(z.int()),
  /** Refusals of the enclave since the daemon began. */
  refusals: z.int(),
  audit: z.object({
    /** Hash of its last line. */
    head: z.string().nullable(),
    broken: z.boolean(),
    /** The set that an enclave took last, as it says. */
    lastTaken: z.object({ generation: z.int(), set: z.string() }).nullable(),
  }),
});
export type KeysStatus = z.infer<typeof keysStatus>;
