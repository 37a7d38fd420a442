/**
 * The certificates of an image signature: PEM text, the signing certificate first, each issued by the next. The text goes
 * into the image as it is, so a file with anything private in it is refused.
 * Specification: nitro-formats 3.1 (PEM bytes; nitro-cli's check of validity at launch), 3.2 (PCR8).
 */
import { X509Certificate } from 'node:crypto';
import { EifError } from '../errors.ts';
import { readSmallFile } from '../input-file.ts';
import { subjectText } from './certificate-name.ts';

const PEM_BLOCK = /-----BEGIN ([^-]+)-----[^-]*-----END \1-----/g;
const PEM_MARK = /-----(?:BEGIN|END) /g;
/** Twice what fits in a signature section. */
const MAX_PEM_BYTES = 65_536;
const DAY_MS = 86_400_000;

export interface CertificateChain {
  /** As in the file. */
  readonly pem: Buffer;
  readonly signer: X509Certificate;
  /** The signer, then its issuers as far as the file has them. */
  readonly certificates: readonly X509Certificate[];
}

function invalid(message: string, cause?: unknown): EifError {
  return new EifError('EIF_CERTIFICATE_INVALID', message, { cause });
}

/** @throws EifError EIF_CERTIFICATE_INVALID, EIF_CERTIFICATE_CHAIN */
export async function readCertificateChain(path: string): Promise<CertificateChain> {
  const pem = await readSmallFile(path, MAX_PEM_BYTES).catch((cause: unknown) => {
    throw invalid(`cannot read certificate file ${path}`, cause);
  });
  return parseCertificateChain(pem);
}

/** Validity in time is not looked at. @throws EifError EIF_CERTIFICATE_INVALID, EIF_CERTIFICATE_CHAIN */
export function parseCertificateChain(pem: Buffer): CertificateChain {
  const text = pem.toString('latin1');
  const blocks = [...text.matchAll(PEM_BLOCK)];
  if (blocks.length * 2 !== [...text.matchAll(PEM_MARK)].length) throw invalid('a PEM block is not closed');
  const foreign = blocks.find(([, label]) => label !== 'CERTIFICATE');
  if (foreign !== undefined) throw invalid('the file holds something else than certificates');
  const certificates = blocks.map(([block], index) => parseCertificate(block, index));
  const [signer] = certificates;
  if (signer === undefined) throw invalid('the file holds no certificate');
  checkIssuers(certificates);
  return { pem, signer, certificates };
}

/**
 * @param nowMs milliseconds since the epoch
 * @throws EifError EIF_CERTIFICATE_EXPIRED, EIF_CERTIFICATE_NOT_YET_VALID
 */
export function checkValidity(chain: CertificateChain, nowMs: number): void {
  for (const certificate of chain.certificates) {
    const { validFromDate, validToDate } = certificate;
    const name = subjectText(certificate);
    const details = {
      found: new Date(nowMs).toISOString(),
      allowed: `${validFromDate.toISOString()} to ${validToDate.toISOString()}`,
    };
    if (nowMs > validToDate.getTime()) {
      throw new EifError('EIF_CERTIFICATE_EXPIRED', `the certificate of ${name} has expired`, details);
    }
    if (nowMs < validFromDate.getTime()) {
      throw new EifError('EIF_CERTIFICATE_NOT_YET_VALID', `the certificate of ${name} is not valid yet`, details);
    }
  }
}

/** Whole days until the first certificate of the chain expires; negative afterwards. */
export function daysLeft(chain: CertificateChain, nowMs: number): number {
  const ends = chain.certificates.map(({ validToDate }) => validToDate.getTime());
  return Math.floor((Math.min(...ends) - nowMs) / DAY_MS);
}

/** The parts that are used later are tried here: a certificate may parse and still have a key or a date that does not. */
function parseCertificate(pem: string, index: number): X509Certificate {
  try {
    const certificate = new X509Certificate(pem);
    const { publicKey, validFromDate, validToDate } = certificate;
    if (publicKey.type === 'public' && validFromDate.getTime() <= validToDate.getTime()) return certificate;
  } catch (cause) {
    throw invalid(`certificate ${index + 1} cannot be parsed`, cause);
  }
  throw invalid(`certificate ${index + 1} has no valid dates`);
}

function checkIssuers(certificates: readonly X509Certificate[]): void {
  certificates.slice(1).forEach((issuer, index) => {
    const issued = certificates[index];
    if (issued?.checkIssued(issuer) === true && issued.verify(issuer.publicKey)) return;
    throw new EifError('EIF_CERTIFICATE_CHAIN', `certificate ${index + 1} was not issued by certificate ${index + 2}`);
  });
}
