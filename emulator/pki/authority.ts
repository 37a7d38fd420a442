/**
 * A certificate authority for the TLS legs of demo and tests: KMS, PostgreSQL, clients of the enclave.
 * ECDSA P-256 throughout. Private keys exist as PEM text here because every program that uses them reads PEM files;
 * none of them guards anything outside the demo.
 */
import type { KeyObject } from 'node:crypto';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import type { CertificatePurpose, DistinguishedName } from './certificate.ts';
import { createCertificate, toPem } from './certificate.ts';
import type { KeyPair } from './key-pair.ts';
import { loadOrCreateKeyPair, privateKeyPem } from './key-pair.ts';

const DAY_MS = 86_400_000;
/** So that a peer whose clock is a little behind accepts a new certificate. */
const BACKDATE_MS = 5 * 60_000;
const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS;
const DEFAULT_LIFETIME_MS = 90 * DAY_MS;

type SubjectChoice =
  | { readonly commonName: string; readonly subject?: never }
  | { readonly subject: DistinguishedName; readonly commonName?: never };

type AuthorityOptions = SubjectChoice & { readonly clock: Clock };

type IssueRequest = SubjectChoice & {
  readonly kind: CertificatePurpose;
  /** DNS names and IP addresses. */
  readonly subjectAltNames?: readonly string[];
  /** Default: five minutes ago. */
  readonly notBefore?: Date;
  /** Default: 90 days from now. */
  readonly notAfter?: Date;
};

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

export interface Authority {
  readonly certificatePem: string;
  readonly certificateDer: Buffer;
  issue(request: IssueRequest): Promise<IssuedCertificate>;
}

function nameOf(choice: SubjectChoice): DistinguishedName {
  return choice.subject ?? [{ type: 'CN', value: choice.commonName }];
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

async function makeKeys(options: AuthorityOptions): Promise<KeyPair> {
  const privateKey = newKey();
  const nowMs = options.clock.nowMs();
  const certificateDer = await createCertificate({
    subject: nameOf(options),
    subjectKey: privateKey,
    issuerKey: privateKey,
    digest: 'sha256',
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + AUTHORITY_LIFETIME_MS),
    authority: {},
  });
  return { certificateDer, privateKey };
}

async function issueWith(keys: KeyPair, clock: Clock, request: IssueRequest): Promise<IssuedCertificate> {
  const subjectKey = newKey();
  const nowMs = clock.nowMs();
  const certificateDer = await createCertificate({
    subject: nameOf(request),
    subjectKey,
    issuer: keys,
    issuerKey: keys.privateKey,
    digest: 'sha256',
    notBefore: request.notBefore ?? new Date(nowMs - BACKDATE_MS),
    notAfter: request.notAfter ?? new Date(nowMs + DEFAULT_LIFETIME_MS),
    purpose: request.kind,
    ...(request.subjectAltNames && { subjectAltNames: request.subjectAltNames }),
  });
  return { certificatePem: toPem(certificateDer), privateKeyPem: privateKeyPem(subjectKey) };
}

function authorityOf(keys: KeyPair, clock: Clock): Authority {
  return {
    certificatePem: toPem(keys.certificateDer),
    certificateDer: keys.certificateDer,
    issue: (request) => issueWith(keys, clock, request),
  };
}

/** A new authority that exists only in memory; valid for ten years. */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  return authorityOf(await makeKeys(options), options.clock);
}

/**
 * The authority kept in `<folder>/authority.pem` (private key and certificate, mode 0600); made when it is not there.
 * @throws EmulatorError EMULATOR_STATE
 */
export async function loadOrCreateAuthority(folder: string, options: AuthorityOptions): Promise<Authority> {
  const keys = await loadOrCreateKeyPair(join(folder, 'authority.pem'), () => makeKeys(options));
  return authorityOf(keys, options.clock);
}
