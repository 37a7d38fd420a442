/**
 * The envelope of signed measurements: DSSE. What is signed is the type and the bytes of the payload as they are, never JSON that is
 * to be parsed first. A key id is a hint of whoever wrote the file; each demanded key is tried on each signature.
 * Specification: DSSE 1.0 (secure-systems-lab/dsse, protocol.md and envelope.md). Ours, which it leaves open: ECDSA signatures in DER
 * (as sigstore and go-securesystemslib have them), at most 32 of them. Members that are not known are ignored, as envelope.md demands.
 */
import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { decodeStrictBase64 } from '../../encoding/base64.ts';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { MeasurementsError } from './errors.ts';
import type { SigningKey, VerifyingKey } from './keys.ts';

/** of in-toto (spec/v1/envelope.md). */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A statement, of which the runtime statement has 64 KB at most; or a request about keys, with secrets of 200 users or ids of 1,000 clients. */
const MAX_PAYLOAD_BYTES = 768 * 1024;
/** DER of P-384 has 104. */
const MAX_SIGNATURE_BYTES = 128;
const MAX_SIGNATURES = 32;
const MAX_KEY_ID_LENGTH = 256;
const MAX_TYPE_LENGTH = 256;

const encoded = (maxBytes: number) => z.string().max(4 * Math.ceil(maxBytes / 3));
const envelope = z.object({
  payload: encoded(MAX_PAYLOAD_BYTES),
  payloadType: z.string().max(MAX_TYPE_LENGTH),
  signatures: z
    .array(z.object({ keyid: z.string().max(MAX_KEY_ID_LENGTH).default(''), sig: encoded(MAX_SIGNATURE_BYTES) }))
    .max(MAX_SIGNATURES),
});

interface Signature {
  /** Unauthenticated. */
  readonly keyId: string;
  readonly bytes: Buffer;
}

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Signature[];
}

/** Pre-Authentication Encoding: what is signed. */
export function preAuthEncoding(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body]);
}

/**
 * @param demandedType of what is to be in it
 * @param leastSignatures 0 for one that others are still to sign
 * @throws MeasurementsError MEASUREMENTS_ENVELOPE_INVALID
 */
export function parseEnvelope(json: unknown, demandedType: string, leastSignatures: 0 | 1 = 1): Envelope {
  const parsed = envelope.safeParse(json);
  if (!parsed.success) {
    const found = z.prettifyError(parsed.error);
    throw new MeasurementsError('MEASUREMENTS_ENVELOPE_INVALID', 'the envelope is malformed', { found });
  }
  const { payload, payloadType, signatures } = parsed.data;
  if (payloadType !== demandedType) {
    throw new MeasurementsError('MEASUREMENTS_ENVELOPE_INVALID', 'the envelope holds something else', {
      found: payloadType,
      allowed: demandedType,
    });
  }
  if (signatures.length < leastSignatures)
    throw new MeasurementsError('MEASUREMENTS_ENVELOPE_INVALID', 'nobody has signed the envelope');
  return wrapFormatError(
    () => ({
      payloadType,
      payload: decodeStrictBase64('the payload', payload, 'either'),
      signatures: signatures.map(({ keyid, sig }) => ({
        keyId: keyid,
        bytes: decodeStrictBase64('a signature', sig, 'either'),
      })),
    }),
    (cause) => new MeasurementsError('MEASUREMENTS_ENVELOPE_INVALID', 'the envelope is malformed', { cause }),
  );
}

/** JSON, as DSSE recommends. */
export function encodeEnvelope({ payloadType, payload, signatures }: Envelope): string {
  const members = {
    payload: payload.toString('base64'),
    payloadType,
    signatures: signatures.map(({ keyId, bytes }) => ({ keyid: keyId, sig: bytes.toString('base64') })),
  };
  return `${JSON.stringify(members, null, 2)}\n`;
}

export type SignatureState = 'signed' | 'not signed' | 'invalid';

/** `invalid`: a signature says that it is of this key and does not verify; it makes no difference beyond the message. */
export function signatureState(
  { payloadType, payload, signatures }: Envelope,
  { key, hash, keyId }: VerifyingKey,
): SignatureState {
  const message = preAuthEncoding(payloadType, payload);
  if (signatures.some(({ bytes }) => verify(hash, message, key, bytes))) return 'signed';
  return signatures.some((each) => each.keyId === keyId) ? 'invalid' : 'not signed';
}

/** The envelope with one more signature; the same when this key has signed already. */
export function withSignatureOf(unsigned: Envelope, key: SigningKey): Envelope {
  if (signatureState(unsigned, key) === 'signed') return unsigned;
  const message = preAuthEncoding(unsigned.payloadType, unsigned.payload);
  const bytes = sign(key.hash, message, key.privateKey);
  if (unsigned.signatures.length >= MAX_SIGNATURES) {
    throw new MeasurementsError('MEASUREMENTS_ENVELOPE_INVALID', 'the envelope has no room for another signature', {
      allowed: `${MAX_SIGNATURES} signatures`,
    });
  }
  return { ...unsigned, signatures: [...unsigned.signatures, { keyId: key.keyId, bytes }] };
}
