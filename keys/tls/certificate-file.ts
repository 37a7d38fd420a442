/** A PEM file of certificates: what of it can be read, and why the rest cannot. */
import type { Finding } from '../finding.ts';
import type { CertificateFacts } from './certificate-facts.ts';
import { readCertificateFacts } from './certificate-facts.ts';
import { describeContent, pemBlocks } from './pem.ts';

export interface CertificateFile {
  readonly file: string;
  /** In the order of the file; empty when anything could not be read. */
  readonly certificates: readonly CertificateFacts[];
  readonly findings: readonly Finding[];
}

const LABEL = 'CERTIFICATE';
const isPrivate = (label: string) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY');

function invalid(file: string, message: string, found?: string): CertificateFile {
  const finding: Finding = {
    code: 'CERTIFICATE_FILE_INVALID',
    file,
    message,
    allowed: 'PEM blocks BEGIN CERTIFICATE',
    ...(found === undefined ? {} : { found }),
  };
  return { file, certificates: [], findings: [finding] };
}

export function readCertificateFile(file: string, bytes: Buffer): CertificateFile {
  const blocks = pemBlocks(bytes);
  if (blocks.some(({ label }) => isPrivate(label))) {
    return invalid(file, 'it holds a private key, which everybody could read in the image');
  }
  const own = blocks.filter(({ label }) => label === LABEL);
  const marks = bytes.toString('latin1').split(`-----BEGIN ${LABEL}-----`).length - 1;
  if (own.length === 0 || marks !== own.length) {
    return invalid(file, own.length === 0 ? 'it holds no certificate' : 'a block is damaged', describeContent(bytes));
  }
  const certificates: CertificateFacts[] = [];
  for (const [index, { body }] of own.entries()) {
    try {
      certificates.push(readCertificateFacts(Buffer.from(body.toString('latin1'), 'base64')));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : 'unknown reason';
      return invalid(file, `certificate ${index + 1} cannot be read`, reason);
    }
  }
  return { file, certificates, findings: [] };
}
