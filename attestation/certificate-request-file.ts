/**
 * A request for a certificate with the attestation of the key that it is for, as host-proxy hands it out and an operator carries it to the
 * CA: one JSON object.
 */
import { z } from 'zod';
import { FormatError } from '../encoding/format-error.ts';

/** A document, a statement and a request, in base64. */
export const MAX_REQUEST_FILE_BYTES = 160 * 1024;

const attestedRequest = z.strictObject({
  version: z.literal(1),
  /** PKCS #10. */
  request: z.base64(),
  /** COSE_Sign1. */
  document: z.base64(),
  /** Canonical JSON (attestation/runtime/statement.ts). */
  statement: z.base64(),
});

export interface AttestedRequest {
  readonly request: Buffer;
  readonly document: Buffer;
  readonly statement: Buffer;
}

/** @throws FormatError */
export function parseAttestedRequest(text: string): AttestedRequest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new FormatError('it is not JSON', undefined, cause);
  }
  const parsed = attestedRequest.safeParse(json);
  if (!parsed.success) throw new FormatError(z.prettifyError(parsed.error));
  const { request, document, statement } = parsed.data;
  const bytes = (text64: string) => Buffer.from(text64, 'base64');
  return { request: bytes(request), document: bytes(document), statement: bytes(statement) };
}

/** @returns JSON */
export function writeAttestedRequest({ request, document, statement }: AttestedRequest): string {
  const text = (bytes: Buffer) => bytes.toString('base64');
  return JSON.stringify({ version: 1, request: text(request), document: text(document), statement: text(statement) });
}
