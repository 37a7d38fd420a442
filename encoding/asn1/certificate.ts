/** The parts of an X.509 certificate that Node does not hand out. Specification: RFC 5280 section 4.1. */
import type { Asn1Node } from './reader.ts';
import { readAsn1, TAG } from './reader.ts';
import { expectMembers, expectTag } from './shape.ts';

interface CertificateParts {
  /** Name of the subject: SEQUENCE OF SET OF attributes. */
  readonly subject: Asn1Node;
  /** The issuer's signature. A view of the input. */
  readonly signature: Buffer;
}

/** The fields before the subject in a TBSCertificate, after the optional version. */
const SUBJECT_INDEX = 4;
/** A BIT STRING begins with the number of unused bits in its last byte. */
const UNUSED_BITS_BYTES = 1;

/** @throws FormatError */
export function readCertificateParts(der: Buffer): CertificateParts {
  const [tbs, , signature] = expectMembers('certificate', readAsn1(der, 'der'), TAG.sequence, 3);
  const fields = expectTag('body of the certificate', tbs, TAG.sequence).children;
  const hasVersion = fields[0]?.tag === TAG.contextConstructed0;
  return {
    subject: expectTag('subject', fields[SUBJECT_INDEX + (hasVersion ? 1 : 0)], TAG.sequence),
    signature: expectTag('signature', signature, TAG.bitString).content.subarray(UNUSED_BITS_BYTES),
  };
}
