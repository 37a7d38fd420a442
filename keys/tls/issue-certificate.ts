/**
 * Signs the certificate that an enclave asked for, with a CA of files. Whoever has a CA with tools of its own gives it the same request;
 * what must be known of the enclave before is checked by the caller. Specification: RFC 5280 section 4.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { PURPOSE, refusedIssuer } from '../../acra/certificate/chain.ts';
import type { CertificateFacts } from '../../acra/certificate/facts.ts';
import { writeCertificate } from '../../encoding/x509/certificate.ts';
import {
  alternativeNames,
  authorityKeyOf,
  endEntity,
  forServers,
  signsHandshakes,
  subjectKey,
} from '../../encoding/x509/extensions.ts';
import { signatureAlgorithmOf } from '../../encoding/x509/signed.ts';
import type { Random } from '../../runtime/random.ts';
import { newSerialNumber } from './attested-key.ts';
import { nameOf } from './certificate-facts.ts';
import { readCertificateFile } from './certificate-file.ts';
import type { CertificateRequest } from './certificate-request.ts';
import { TlsKeyError } from './errors.ts';

const DAY_MS = 86_400_000;
const BACKDATED_MS = 3_600_000;

export interface CertificateAuthority {
  readonly certificate: CertificateFacts;
  /** Private. */
  readonly key: KeyObject;
}

const unusable = (message: string, cause?: unknown) =>
  new TlsKeyError('TLS_CA_UNUSABLE', message, ...(cause === undefined ? [] : [{ cause }]));

function readKey(keyPem: Buffer): KeyObject {
  try {
    const key = createPrivateKey(keyPem);
    signatureAlgorithmOf(key);
    return key;
  } catch (cause) {
    throw unusable('its key cannot be read, or signs no certificates', cause);
  }
}

/** @param keyPem without a password. @throws TlsKeyError TLS_CA_UNUSABLE */
export function readAuthority(
  file: string,
  certificatePem: Buffer,
  keyPem: Buffer,
  nowMs: number,
): CertificateAuthority {
  const [certificate] = readCertificateFile(file, certificatePem).certificates;
  if (certificate === undefined) throw unusable(`${file} holds no certificate that can be read`);
  const key = readKey(keyPem);
  const why = refusedIssuer(certificate, [], { purpose: PURPOSE.server, nowMs }, true);
  if (why !== undefined) throw unusable(`${nameOf(certificate)} ${why}`);
  if (!certificate.x509.checkPrivateKey(key)) throw unusable(`the key is not the one of ${nameOf(certificate)}`);
  return { certificate, key };
}

interface Issue {
  readonly days: number;
  readonly nowMs: number;
  readonly random: Random;
}

/** Not longer than the CA itself. @returns DER */
export function issueCertificate(
  request: CertificateRequest,
  { certificate: { x509, subject }, key }: CertificateAuthority,
  { days, nowMs, random }: Issue,
): Buffer {
  const content = {
    serialNumber: newSerialNumber(random),
    issuer: subject,
    subject: request.subject,
    publicKey: request.publicKey,
    notBeforeMs: Math.max(nowMs - BACKDATED_MS, x509.validFromDate.getTime()),
    notAfterMs: Math.min(nowMs + days * DAY_MS, x509.validToDate.getTime()),
    extensions: [
      endEntity(),
      signsHandshakes(),
      forServers(),
      alternativeNames(request.names.map(({ value }) => value)),
      subjectKey(request.publicKey),
      authorityKeyOf(x509),
    ],
  };
  return writeCertificate(content, key);
}
