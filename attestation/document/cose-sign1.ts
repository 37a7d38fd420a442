/**
 * COSE_Sign1 as the Nitro hypervisor writes it: ES384 in the protected header, nothing in the unprotected one, payload
 * inside. AWS leaves out the tag; tag 18 is accepted.
 * Specification: RFC 9052 section 4.2 and 4.4; nitro-formats 3.6.
 */
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectArray, expectBytes, expectMap } from '../../encoding/cbor/shape.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { COSE_SIGNATURE_BYTES, MAX_PAYLOAD_BYTES } from './limits.ts';

/** Head of tag 18, COSE_Sign1. */
const TAG_COSE_SIGN1 = 0xd2;
/** {1: -35}: algorithm ES384. */
export const PROTECTED_ES384: Buffer = Buffer.from('a1013822', 'hex');

export interface CoseSign1 {
  /** A view of the input. */
  readonly payload: Buffer;
  /** r ‖ s, 96 bytes. A view of the input. */
  readonly signature: Buffer;
}

/** @throws FormatError */
export function readCoseSign1(bytes: Buffer): CoseSign1 {
  const untagged = bytes[0] === TAG_COSE_SIGN1 ? bytes.subarray(1) : bytes;
  const items = expectArray('COSE_Sign1', readCbor(untagged));
  if (items.length !== 4) throw new FormatError(`COSE_Sign1 must have 4 members, not ${items.length}`);
  const header = expectBytes('protected header', items[0], PROTECTED_ES384.length, PROTECTED_ES384.length);
  if (!header.equals(PROTECTED_ES384)) throw new FormatError('protected header must name ES384 and nothing else');
  if (expectMap('unprotected header', items[1]).size > 0) throw new FormatError('unprotected header must be empty');
  return {
    payload: expectBytes('payload', items[2], 1, MAX_PAYLOAD_BYTES),
    signature: expectBytes('signature', items[3], COSE_SIGNATURE_BYTES, COSE_SIGNATURE_BYTES),
  };
}

/** Sig_structure of RFC 9052 section 4.4, without external data: the bytes that the signature is over. */
export function coseToBeSigned(payload: Buffer): Buffer {
  return writeCbor(['Signature1', PROTECTED_ES384, Buffer.alloc(0), payload]);
}
