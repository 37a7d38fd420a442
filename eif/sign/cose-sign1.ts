/**
 * COSE_Sign1 as image signatures use it: one algorithm in the protected header, nothing unprotected, payload inside.
 * Written without tag, read with or without tag 18. Specification: nitro-formats 3.1; RFC 9052 section 4.2 and 4.4.
 */
import { readCbor } from '../../encoding/cbor/reader.ts';
import { expectArray, expectBytes, expectMap } from '../../encoding/cbor/shape.ts';
import { writeCbor } from '../../encoding/cbor/writer.ts';
import { FormatError, wrapFormatError } from '../../encoding/format-error.ts';
import { EifError } from '../errors.ts';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from './algorithm.ts';

/** Key 1 of COSE headers: the algorithm. */
const HEADER_ALGORITHM = 1;
/** Initial byte of CBOR tag 18. */
const TAG_COSE_SIGN1 = 0xd2;
/** The register that is signed takes some 130 bytes. */
const MAX_PAYLOAD_BYTES = 1024;

interface CoseSign1 {
  readonly algorithm: SigningAlgorithm;
  readonly payload: Buffer;
  /** Raw r ‖ s. */
  readonly signature: Buffer;
}

function encodeProtected({ coseId }: SigningAlgorithm): Buffer {
  return writeCbor(new Map([[HEADER_ALGORITHM, coseId]]));
}

/** Sig_structure: what the signature is made over, before hashing. */
export function toBeSigned(algorithm: SigningAlgorithm, payload: Buffer): Buffer {
  return writeCbor(['Signature1', encodeProtected(algorithm), Buffer.alloc(0), payload]);
}

export function encodeCoseSign1({ algorithm, payload, signature }: CoseSign1): Buffer {
  return writeCbor([encodeProtected(algorithm), new Map(), payload, signature]);
}

/** @throws EifError EIF_SIGNATURE_SYNTAX, EIF_SIGNATURE_ALGORITHM */
export function parseCoseSign1(bytes: Buffer): CoseSign1 {
  const untagged = bytes[0] === TAG_COSE_SIGN1 ? bytes.subarray(1) : bytes;
  return wrapFormatError(
    () => {
      const parts = expectArray('COSE_Sign1', readCbor(untagged));
      if (parts.length !== 4) throw new FormatError(`COSE_Sign1 has ${parts.length} parts, not 4`);
      const algorithm = parseProtected(expectBytes('protected header', parts[0], 1, 16));
      const unprotected = expectMap('unprotected header', parts[1]);
      if (unprotected.size !== 0) throw new FormatError('unprotected header is not empty');
      const payload = expectBytes('payload', parts[2], 1, MAX_PAYLOAD_BYTES);
      const { signatureBytes } = algorithm;
      return { algorithm, payload, signature: expectBytes('signature', parts[3], signatureBytes, signatureBytes) };
    },
    (cause) => new EifError('EIF_SIGNATURE_SYNTAX', 'COSE_Sign1 is malformed', { cause }),
  );
}

function parseProtected(bytes: Buffer): SigningAlgorithm {
  const header = expectMap('protected header', readCbor(bytes));
  const coseId = header.get(HEADER_ALGORITHM);
  if (header.size !== 1 || typeof coseId !== 'number') throw new FormatError('protected header is not one algorithm');
  const algorithm = SIGNING_ALGORITHMS.find((candidate) => candidate.coseId === coseId);
  if (algorithm !== undefined) return algorithm;
  throw new EifError('EIF_SIGNATURE_ALGORITHM', 'unknown signature algorithm', {
    found: String(coseId),
    allowed: SIGNING_ALGORITHMS.map((known) => `${known.coseId} (${known.name})`).join(', '),
  });
}
