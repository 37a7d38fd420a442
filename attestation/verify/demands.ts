/**
 * What a verifier demands, and the defaults: fail closed. Which image is meant is never left open by accident; whoever wants only to know
 * that a document is authentic says `not-judged`.
 */
import { X509Certificate } from 'node:crypto';
import { wrapFormatError } from '../../encoding/format-error.ts';
import { derOf, describeContent, pemBlocks } from '../../encoding/pem.ts';
import { MAX_NONCE_BYTES, MIN_NONCE_BYTES } from '../../wire/requests/bounds.ts';
import { AWS_NITRO_ROOT_G1_PEM } from '../aws-root.ts';
import { AttestationError } from '../errors.ts';
import { PCR_BYTES, PCR_COUNT } from '../pcr.ts';
import type { RuntimeStatement } from '../runtime/statement.ts';
import { decodeStatement, encodeStatement } from '../runtime/statement.ts';

export interface ExpectedRegisters {
  /** By index, 0 to 31; 48 bytes each. PCR0, or PCR1 and PCR2, must be among them. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** PCR16 follows from it. */
  readonly statement?: RuntimeStatement;
}

export type JudgementTime =
  /** A document that was just made. */
  | {
      readonly by: 'clock';
      /** Milliseconds since the epoch; the present time when absent. */
      readonly nowMs?: number;
      /** 5 minutes when absent. */
      readonly maxAgeMs?: number;
      /** How far the clock of the hypervisor may be ahead; 5 seconds when absent. */
      readonly maxSkewMs?: number;
    }
  /** A saved document, judged at the time that it names itself: nothing is said about its age. */
  | { readonly by: 'document' };

/** What is refused unless it is named here. */
export interface Allowances {
  /** A guard that reports what it cannot protect, and passes it on. */
  readonly reportGuard?: boolean;
  /** No guard: acra-server itself reads the statements (`ingress.tls: passthrough`). */
  readonly noGuard?: boolean;
  /** Values for relations that nobody listed. */
  readonly anyRelation?: boolean;
  /** Columns whose existing rows are being encrypted. */
  readonly openMigrations?: boolean;
  /** Keys of which the operator says that KMS’s key policy pins them (`keys.pin: policy`): no attestation shows that. */
  readonly policyPin?: boolean;
}

export interface Demands {
  readonly measurements: ExpectedRegisters | 'not-judged';
  /** Default: now, at most 5 minutes old. */
  readonly time?: JudgementTime;
  /** 16 to 64 bytes, as they were sent. */
  readonly nonce?: Uint8Array;
  /** SHA-256 of the SubjectPublicKeyInfo (DER) that the server showed on the TLS connection in question. */
  readonly tlsKeySha256?: Uint8Array;
  /** The TLS key must be born in the enclave (`tls.key: attested`); default: who made it is only told. */
  readonly attestedTlsKey?: boolean;
  /** No older keys can be in use: they are in the image, or pinned by digest. Default: where rollback is not excluded, that is only told. */
  readonly pinnedKeys?: boolean;
  /**
   * `not-judged`: a document that is not an acra-enclave's answer to a stranger (made for KMS, or by another program). It names no TLS key
   * and commits to no statement, so that neither can be demanded then.
   */
  readonly runtime?: 'demanded' | 'not-judged';
  readonly allow?: Allowances;
  /** One certificate, PEM: the only root that is trusted. Default: AWS Nitro Enclaves root G1. */
  readonly trustRootPem?: string;
}

/** Demands with all defaults, in the forms that the checks take. */
export interface CheckedDemands {
  readonly pcrs: ReadonlyMap<number, Buffer>;
  readonly statement: RuntimeStatement | undefined;
  readonly time: Required<Extract<JudgementTime, { by: 'clock' }>> | { readonly by: 'document' };
  readonly nonce: Buffer | undefined;
  readonly tlsKeySha256: Buffer | undefined;
  readonly attestedTlsKey: boolean;
  readonly pinnedKeys: boolean;
  readonly isRuntimeDemanded: boolean;
  readonly allow: Allowances;
  readonly rootDer: Buffer;
  readonly isAwsRoot: boolean;
}

const DEFAULT_MAX_AGE_MS = 5 * 60_000;
const DEFAULT_MAX_SKEW_MS = 5_000;
const SHA256_BYTES = 32;

function invalid(message: string, found?: string, allowed?: string): AttestationError {
  return new AttestationError('ATTESTATION_POLICY_INVALID', message, {
    ...(found !== undefined && { found }),
    ...(allowed !== undefined && { allowed }),
  });
}

function sized(what: string, value: Uint8Array | undefined, least: number, most = least): Buffer | undefined {
  if (value === undefined) return undefined;
  if (value.length >= least && value.length <= most) return Buffer.from(value);
  const allowed = least === most ? `${least} bytes` : `${least} to ${most} bytes`;
  throw invalid(`${what} has the wrong size`, `${value.length} bytes`, allowed);
}

function checkRegisters(pcrs: ReadonlyMap<number, Uint8Array>): ReadonlyMap<number, Buffer> {
  const checked = new Map<number, Buffer>();
  for (const [index, value] of [...pcrs].sort(([a], [b]) => a - b)) {
    if (!Number.isInteger(index) || index < 0 || index >= PCR_COUNT)
      throw invalid('there is no such PCR', String(index), '0 to 31');
    checked.set(index, sized(`PCR${index}`, value, PCR_BYTES) ?? Buffer.alloc(0));
  }
  if (checked.has(0) || (checked.has(1) && checked.has(2))) return checked;
  const found = [...checked.keys()].map((index) => `PCR${index}`).join(', ');
  throw invalid('the expected registers do not say which image is meant', found || 'none', 'PCR0, or PCR1 and PCR2');
}

function checkStatement(statement: RuntimeStatement | undefined): RuntimeStatement | undefined {
  return wrapFormatError(
    () => statement && decodeStatement(encodeStatement(statement)),
    (cause) => new AttestationError('ATTESTATION_POLICY_INVALID', 'the expected statement is none', { cause }),
  );
}

function checkTime(time: JudgementTime): CheckedDemands['time'] {
  if (time.by === 'document') return time;
  const { nowMs = Date.now(), maxAgeMs = DEFAULT_MAX_AGE_MS, maxSkewMs = DEFAULT_MAX_SKEW_MS } = time;
  for (const each of [nowMs, maxAgeMs, maxSkewMs])
    if (!Number.isSafeInteger(each) || each < 0) throw invalid('a time is no number of milliseconds', String(each));
  return { by: 'clock', nowMs, maxAgeMs, maxSkewMs };
}

/** By the block itself: OpenSSL, which looks for one in the whole text, may find another. */
function readRoot(pem: string): Buffer {
  const [block, ...others] = pemBlocks(Buffer.from(pem));
  if (block?.label !== 'CERTIFICATE' || others.length > 0)
    throw rootInvalid(describeContent(Buffer.from(pem)), others.length);
  try {
    return new X509Certificate(derOf(block)).raw;
  } catch (cause) {
    throw new AttestationError('ATTESTATION_TRUST_ROOT_INVALID', 'the trusted root is no certificate', { cause });
  }
}

function rootInvalid(found: string, more: number): AttestationError {
  return new AttestationError('ATTESTATION_TRUST_ROOT_INVALID', 'the trusted root is not one PEM certificate', {
    found: more === 0 ? found : `${more + 1} PEM blocks: ${found}`,
    allowed: 'one CERTIFICATE block',
  });
}

/** What would never be judged must not look demanded: the verdict would be "pass". */
function refuseUnjudged({ runtime, tlsKeySha256, attestedTlsKey, pinnedKeys, measurements }: Demands): void {
  if (runtime !== 'not-judged') return;
  const found = [
    ...(tlsKeySha256 === undefined ? [] : ['tlsKeySha256']),
    ...(attestedTlsKey ? ['attestedTlsKey'] : []),
    ...(pinnedKeys ? ['pinnedKeys'] : []),
    ...(measurements !== 'not-judged' && measurements.statement ? ['measurements.statement'] : []),
  ];
  if (found.length === 0) return;
  throw invalid('what only a judged runtime shows is demanded', found.join(', '), "runtime: 'demanded'");
}

/** @throws AttestationError ATTESTATION_POLICY_INVALID, ATTESTATION_TRUST_ROOT_INVALID */
export function checkDemands(demands: Demands): CheckedDemands {
  const { measurements, time = { by: 'clock' }, runtime = 'demanded', allow = {} } = demands;
  refuseUnjudged(demands);
  const isJudged = measurements !== 'not-judged';
  const rootDer = readRoot(demands.trustRootPem ?? AWS_NITRO_ROOT_G1_PEM);
  return {
    pcrs: isJudged ? checkRegisters(measurements.pcrs) : new Map(),
    statement: isJudged ? checkStatement(measurements.statement) : undefined,
    time: checkTime(time),
    nonce: sized('the nonce', demands.nonce, MIN_NONCE_BYTES, MAX_NONCE_BYTES),
    tlsKeySha256: sized('the hash of the TLS key', demands.tlsKeySha256, SHA256_BYTES),
    attestedTlsKey: demands.attestedTlsKey ?? false,
    pinnedKeys: demands.pinnedKeys ?? false,
    isRuntimeDemanded: runtime === 'demanded',
    allow,
    rootDer,
    isAwsRoot: rootDer.equals(readRoot(AWS_NITRO_ROOT_G1_PEM)),
  };
}
