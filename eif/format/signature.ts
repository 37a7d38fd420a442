/**
 * The signature section and the payload that is signed. Both write byte sequences as arrays of integers, which is how
 * AWS's serializer sees them. Specification: nitro-formats 3.1, "Signature section".
 */

import { PCR_BYTES } from '../../attestation/pcr.ts';
import { type CborValue, readCbor } from '../../encoding/cbor/reader.ts';
import { expectArray, expectRecord, expectUint } from '../../encoding/cbor/shape.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import { EifError } from '../errors.ts';
import { checkSectionSize } from './section.ts';

interface SignatureSection {
  /** PEM text: the signing certificate, then its issuers. */
  readonly certificatePem: Buffer;
  /** COSE_Sign1, tagged or not. */
  readonly coseSign1: Buffer;
}

const SECTION_KEYS = ['signing_certificate', 'signature'] as const;
const PAYLOAD_KEYS = ['register_index', 'register_value'] as const;
/** Only PCR0 is signed. */
const SIGNED_REGISTER = 0;

/** @throws EifError EIF_SECTION_TOO_LARGE */
export function encodeSignatureSection(section: SignatureSection): Buffer {
  const bytes = writeCbor([{ signing_certificate: [...section.certificatePem], signature: [...section.coseSign1] }]);
  checkSectionSize('signature', bytes.length);
  return bytes;
}

/**
 * @param offset where the section's data starts in the file, for errors
 * @throws EifError EIF_SIGNATURE_SYNTAX
 */
export function parseSignatureSection(bytes: Buffer, offset = 0): SignatureSection {
  return refusing('signature section', offset, () => {
    const entries = expectArray('signature section', readCbor(bytes));
    if (entries.length !== 1) throw new FormatError(`signature section has ${entries.length} signatures, not 1`);
    const entry = expectRecord('signature', entries[0], SECTION_KEYS);
    return {
      certificatePem: expectByteArray('signing_certificate', entry.get('signing_certificate')),
      coseSign1: expectByteArray('signature', entry.get('signature')),
    };
  });
}

/** What is signed: the index and value of PCR0. */
export function encodeSignedRegister(pcr0: Buffer): Buffer {
  return writeCbor({ register_index: SIGNED_REGISTER, register_value: [...pcr0] });
}

/**
 * @returns the value of PCR0, 48 bytes
 * @throws EifError EIF_SIGNATURE_SYNTAX
 */
export function parseSignedRegister(bytes: Buffer): Buffer {
  return refusing('signed payload', undefined, () => {
    const payload = expectRecord('signed payload', readCbor(bytes), PAYLOAD_KEYS);
    expectUint('register_index', payload.get('register_index'), SIGNED_REGISTER);
    const value = expectByteArray('register_value', payload.get('register_value'));
    if (value.length !== PCR_BYTES) throw new FormatError(`register_value has ${value.length} bytes, not ${PCR_BYTES}`);
    return value;
  });
}

function expectByteArray(what: string, value: CborValue | undefined): Buffer {
  return Buffer.from(expectArray(what, value).map((item) => expectUint(what, item, 0xff)));
}

function refusing<Result>(what: string, offset: number | undefined, read: () => Result): Result {
  return wrapFormatError(read, (cause) => {
    const details = offset === undefined ? { cause } : { cause, offset };
    return new EifError('EIF_SIGNATURE_SYNTAX', `${what} is malformed`, details);
  });
}
