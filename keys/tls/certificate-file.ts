/** A PEM file of certificates: what of it can be read, and why the rest cannot. */

import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import { readCertificateFacts } from '../../acra/certificate/facts.ts';
import { FormatError } from '../../encoding/format-error.ts';
import { derOf, describeContent, pemBlocks } from '../../encoding/pem.ts';
import type { Finding } from '../finding.ts';

export interface CertificateFile {
  readonly file: string;
  /** In the order of the file; empty when anything could not be read. */
  readonly certificates: readonly CertificateFacts[];
  readonly findings: readonly Finding[];
}

const LABEL = 'CERTIFICATE';
const isPrivate = (label: string) => label === 'PRIVATE KEY' || label.endsWith(' PRIVATE KEY');

const ALLOWED = 'PEM blocks BEGIN CERTIFICATE';

function invalid(file: string, message: string, details: Pick<Finding, 'found' | 'allowed'>): CertificateFile {
  const finding: Finding = { code: 'CERTIFICATE_FILE_INVALID', file, message, ...details };
  return { file, certificates: [], findings: [finding] };
}

export function readCertificateFile(file: string, bytes: Buffer): CertificateFile {
  const blocks = pemBlocks(bytes);
  if (blocks.some(({ label }) => isPrivate(label))) {
    return invalid(file, 'it holds a private key, which everybody could read in the image', { allowed: ALLOWED });
  }
  const own = blocks.filter(({ label }) => label === LABEL);
  const marks = bytes.toString('latin1').split(`-----BEGIN ${LABEL}-----`).length - 1;
  if (own.length === 0 || marks !== own.length) {
    const message = own.length === 0 ? 'it holds no certificate' : 'a block is damaged';
    return invalid(file, message, { found: describeContent(bytes), allowed: ALLOWED });
  }
  if (own.some(({ headers }) => headers.includes(':'))) {
    return invalid(file, 'a block has headers, and acra-server passes over such blocks', { allowed: ALLOWED });
  }
  const certificates: CertificateFacts[] = [];
  for (const [index, block] of own.entries()) {
    try {
      certificates.push(readCertificateFacts(derOf(block)));
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : 'unknown reason';
      const reader = cause instanceof FormatError ? ' by acra-server' : '';
      return invalid(file, `certificate ${index + 1} cannot be read${reader}`, { found });
    }
  }
  return { file, certificates, findings: [] };
}
