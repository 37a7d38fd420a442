/**
 * The private socket between the daemon and `acra-enclave stop|status|logs|console`: one JSON line asks, JSON lines answer,
 * the last one is `done` or `error`. Typed once for both ends, and checked by both.
 */
import { z } from 'zod';
import { ENCLAVE_STATES } from '../../../wire/control/messages.ts';
import { STAGES } from '../../machine/status.ts';

export const MAX_REQUEST_BYTES = 1_024;
const MAX_LINES = 4_000;

const lines = z.int().min(0).max(MAX_LINES);
const request = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('stop') }),
  z.strictObject({ command: z.literal('logs'), lines, follow: z.boolean() }),
  z.strictObject({ command: z.literal('console'), lines, follow: z.boolean() }),
]);
export type CommandRequest = z.infer<typeof request>;

const runStatus = z.object({
  release: z.string(),
  processId: z.int(),
  /** Where the life cycle of the machine is. */
  stage: z.enum(STAGES),
  stageSinceMs: z.int(),
  /** What the enclave says of itself, as far as that can still be true. */
  state: z.enum([...ENCLAVE_STATES, 'unknown', 'lost']),
  phase: z.string().nullable(),
  detail: z.string().nullable(),
  errorCode: z.string().nullable(),
  driver: z.enum(['nitro-cli', 'qemu']),
  debug: z.boolean(),
  enclaveId: z.string().nullable(),
  cid: z.int(),
  image: z.string(),
  publicAddress: z.string().nullable(),
  /** As the enclave tells them: informative, evidence only inside an attestation document. */
  measurements: z.record(z.string(), z.string()).nullable(),
  restarts: z.int(),
  lastEnd: z.object({ atMs: z.int(), code: z.string().nullable(), reason: z.string() }).nullable(),
});
export type RunStatus = z.infer<typeof runStatus>;

const reply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), status: runStatus }),
  z.object({ type: z.literal('line'), text: z.string() }),
  z.object({ type: z.literal('progress'), text: z.string() }),
  z.object({ type: z.literal('done'), text: z.string() }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
]);
export type CommandReply = z.infer<typeof reply>;

/** @throws SyntaxError, ZodError */
export function parseRequest(line: string): CommandRequest {
  return request.parse(JSON.parse(line));
}

/** @throws SyntaxError, ZodError */
export function parseReply(line: string): CommandReply {
  return reply.parse(JSON.parse(line));
}
