/**
 * What both ends of HTTP egress tell each other, one connection a target: the enclave asks in one message, host-proxy answers in one, and when
 * it has connected, bytes follow in both directions. Specification: docs/specs/egress.md, 4.
 */
import { z } from 'zod';
import { parseWith } from '../requests/messages.ts';
import type { EgressErrorCode } from './errors.ts';
import { MAX_HOST_CHARACTERS } from './target.ts';

const VERSION = 1;
const MAX_EGRESS_MESSAGE_CHARACTERS = 500;

/** It is told to programs and in the log. */
const PRINTABLE = /^\P{Cc}*$/u;

const request = z.strictObject({
  version: z.literal(VERSION),
  host: z.string().min(1).max(MAX_HOST_CHARACTERS),
  port: z.int().min(1).max(65_535),
});
export type EgressRequest = z.infer<typeof request>;

/** What host-proxy may say of a request; the rest is for the enclave to say. */
const HOST_CODES = [
  'EGRESS_TARGET',
  'EGRESS_ADDRESS',
  'EGRESS_HOST_UNLISTED',
  'EGRESS_HOST_DENIED',
  'EGRESS_UNRESOLVED',
  'EGRESS_UNREACHABLE',
  'EGRESS_TIMEOUT',
  'EGRESS_LIMIT',
] as const satisfies readonly EgressErrorCode[];
export type HostCode = (typeof HOST_CODES)[number];

export function isHostCode(code: string | undefined): code is HostCode {
  return (HOST_CODES as readonly (string | undefined)[]).includes(code);
}

const answer = z.discriminatedUnion('type', [
  /** @property address that is connected: the parent's word, which the enclave judges once more */
  z.strictObject({ version: z.literal(VERSION), type: z.literal('connected'), address: z.union([z.ipv4(), z.ipv6()]) }),
  z.strictObject({
    version: z.literal(VERSION),
    type: z.literal('refused'),
    code: z.enum(HOST_CODES),
    message: z.string().max(MAX_EGRESS_MESSAGE_CHARACTERS).regex(PRINTABLE),
  }),
]);
export type EgressAnswer = z.infer<typeof answer>;

export const egressRequest = ({ host, port }: Omit<EgressRequest, 'version'>): EgressRequest => ({
  version: VERSION,
  host,
  port,
});
export const egressConnected = (address: string): EgressAnswer => ({ version: VERSION, type: 'connected', address });
export const egressRefused = (code: HostCode, message: string): EgressAnswer => ({
  version: VERSION,
  type: 'refused',
  code,
  message: message.slice(0, MAX_EGRESS_MESSAGE_CHARACTERS),
});

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseEgressRequest(payload: Buffer): EgressRequest {
  return parseWith(request, 'request for egress', payload);
}

/** @throws WireError WIRE_MESSAGE_INVALID */
export function parseEgressAnswer(payload: Buffer): EgressAnswer {
  return parseWith(answer, 'answer to a request for egress', payload);
}
