/**
 * One certificate of an attestation chain. OpenSSL (through Node) does the cryptography; what Node does not show, or is
 * lenient about, is read from strict DER here: algorithms, names, times, basic constraints, key usage, unknown critical extensions.
 * Specification: RFC 5280 section 4; nitro-formats 3.6 (chain).
 */
import { X509Certificate } from 'node:crypto';
import type { Asn1Node } from '../../encoding/asn1/reader.ts';
import { readAsn1, TAG } from '../../encoding/asn1/reader.ts';
import { expectMembers, expectSmallInteger, expectTag } from '../../encoding/asn1/shape.ts';
import { expectTimeMs } from '../../encoding/asn1/time.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { AttestationError } from '../errors.ts';
import type { CertificateExtensions } from './certificate-extensions.ts';
import { readExtensions } from './certificate-extensions.ts';

export interface ChainCertificate extends CertificateExtensions {
  /** For messages: `certificate`, `cabundle[2]`. */
  readonly name: string;
  readonly x509: X509Certificate;
  /** DER of the issuer's and of the subject's Name. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** The first and the last moment at which it is valid; milliseconds since the epoch. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** AlgorithmIdentifier of ecdsa-with-SHA384, without parameters (RFC 5758 section 3.2). */
const ECDSA_WITH_SHA384 = Buffer.from('300a06082a8648ce3d040303', 'hex');
/** AlgorithmIdentifier of a key on P-384 (RFC 5480 section 2.1.1). */
const EC_KEY_P384 = Buffer.from('301006072a8648ce3d020106052b81040022', 'hex');
/** INTEGER of X.509 version 3 inside its [0]. */
const VERSION_3 = 2;

function expectEncoding(what: string, node: Asn1Node | undefined, encoding: Buffer): void {
  if (node?.raw.equals(encoding)) return;
  throw new FormatError(`${what} is another than allowed`, node?.offset);
}

/** TBSCertificate: version, serial, signature, issuer, validity, subject, key, [3] extensions; no unique identifiers. */
function readToBeSigned(tbs: Asn1Node | undefined): Omit<ChainCertificate, 'name' | 'x509'> {
  const [version, serial, algorithm, issuer, validity, subject, key, extensions] = expectMembers(
    'tbs',
    tbs,
    TAG.sequence,
    8,
  );
  const [versionNumber] = expectMembers('version', version, TAG.contextConstructed0, 1);
  if (expectSmallInteger('version', versionNumber) !== VERSION_3) throw new FormatError('version must be 3');
  expectTag('serial number', serial, TAG.integer);
  expectEncoding('signature algorithm', algorithm, ECDSA_WITH_SHA384);
  const [notBefore, notAfter] = expectMembers('validity', validity, TAG.sequence, 2);
  const [keyAlgorithm] = expectMembers('public key', key, TAG.sequence, 2);
  expectEncoding('public key algorithm', keyAlgorithm, EC_KEY_P384);
  return {
    issuer: expectTag('issuer', issuer, TAG.sequence).raw,
    subject: expectTag('subject', subject, TAG.sequence).raw,
    notBeforeMs: expectTimeMs('notBefore', notBefore),
    notAfterMs: expectTimeMs('notAfter', notAfter),
    ...readExtensions(extensions),
  };
}

function readCertificate(name: string, der: Buffer): ChainCertificate {
  const [tbs, algorithm, signature] = expectMembers('certificate', readAsn1(der, 'der'), TAG.sequence, 3);
  expectEncoding('signature algorithm', algorithm, ECDSA_WITH_SHA384);
  expectTag('signature', signature, TAG.bitString);
  return { name, ...readToBeSigned(tbs), x509: new X509Certificate(der) };
}

function invalid(name: string, cause: unknown): AttestationError {
  return new AttestationError('ATTESTATION_CERTIFICATE_INVALID', `${name} is not a certificate of the allowed form`, {
    cause,
  });
}

/** @throws AttestationError ATTESTATION_CERTIFICATE_INVALID */
export function parseChainCertificate(name: string, der: Buffer): ChainCertificate {
  try {
    return readCertificate(name, der);
  } catch (cause) {
    throw invalid(name, cause);
  }
}
