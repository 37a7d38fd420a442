/**
 * The private socket between the daemon and `acra-enclave stop|status|logs|console|certificate|keys`: one JSON line asks, JSON lines answer,
 * the last one is `done` or `error`. Typed once for both ends, and checked by both.
 */
import { z } from 'zod';
import { NONCE_HEX } from '../../../wire/requests/bounds.ts';
import { base64 } from '../../../wire/requests/messages.ts';
import {
  MAX_CHAIN_CHARACTERS,
  MAX_KEY_REQUEST_BYTES,
  MAX_LOADED_SHARE_BYTES,
  MAX_PARENT_REQUEST_BYTES,
} from '../../../wire/requests/parent-messages.ts';
import { hostStatus } from '../host-status.ts';

/** A request about keys, in base64. */
export const MAX_REQUEST_BYTES = MAX_PARENT_REQUEST_BYTES;
const MAX_LINES = 4_000;

const lines = z.int().min(0).max(MAX_LINES);
const request = z.discriminatedUnion('command', [
  z.strictObject({ command: z.literal('status') }),
  z.strictObject({ command: z.literal('stop') }),
  z.strictObject({ command: z.literal('logs'), lines, follow: z.boolean() }),
  z.strictObject({ command: z.literal('console'), lines, follow: z.boolean() }),
  z.strictObject({ command: z.literal('certificate-request'), nonce: z.string().regex(NONCE_HEX) }),
  /** PEM. */
  z.strictObject({ command: z.literal('install-certificate'), chain: z.string().max(MAX_CHAIN_CHARACTERS) }),
  /** For whoever judges the enclave before he asks something of it. */
  z.strictObject({ command: z.literal('attest'), nonce: z.string().regex(NONCE_HEX) }),
  z.strictObject({ command: z.literal('keys-status') }),
  z.strictObject({ command: z.literal('keys-list') }),
  /** JSON of a DSSE envelope, base64. */
  z.strictObject({ command: z.literal('change-keys'), request: base64(MAX_KEY_REQUEST_BYTES) }),
  /** The set that is brought first, for operators who keep its data key. */
  z.strictObject({ command: z.literal('key-set') }),
  /** JSON of one operator's share, base64. */
  z.strictObject({ command: z.literal('load-share'), share: base64(MAX_LOADED_SHARE_BYTES) }),
]);
export type CommandRequest = z.infer<typeof request>;

const reply = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), status: hostStatus }),
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
