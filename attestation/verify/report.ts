/** What a verification tells: plain values that survive JSON, so that programs in any language can read it. */
import { createHash } from 'node:crypto';
import { describeTime } from '../document/chain.ts';
import type { AttestationPayload } from '../document/payload.ts';
import type { RuntimeStatement } from '../runtime/statement.ts';
import type { AttestedUserData } from '../runtime/user-data.ts';
import type { Claim, Judged } from './checklist.ts';
import type { CheckedDemands } from './demands.ts';

export interface VerifyReport {
  readonly version: 1;
  /** `pass`: no claim failed. Which claims were not run, and so prove nothing, is told by each. */
  readonly verdict: 'pass' | 'fail';
  readonly trust: {
    /** `other`: a root that the verifier was told to trust, such as an emulator's. */
    readonly root: 'aws-nitro-enclaves-g1' | 'other';
    /** Of the root's DER, hexadecimal. */
    readonly sha256: string;
  };
  /** The time at which certificates were judged: the verifier's clock, or the document's own. ISO 8601; null where there is none. */
  readonly judgedAt: { readonly time: string | null; readonly by: 'clock' | 'document' };
  /** In the order of the checklist; each claim once. */
  readonly claims: readonly Claim[];
  /** What an authentic document says; null when it is none. Bytes are hexadecimal. */
  readonly document: DocumentFacts | null;
  /** What the enclave committed to; null when that does not hold. */
  readonly statement: RuntimeStatement | null;
}

export interface DocumentFacts {
  readonly moduleId: string;
  /** ISO 8601. */
  readonly timestamp: string;
  /** `PCR0` and so on: all locked registers. */
  readonly pcrs: Readonly<Record<string, string>>;
  readonly nonce: string | null;
  /** SHA-256 of the SubjectPublicKeyInfo of the attested TLS key. */
  readonly tlsKeySha256: string | null;
  /** 32 bytes, X25519. */
  readonly hpkePublicKey: string | null;
}

interface Outcome {
  readonly demands: CheckedDemands;
  readonly claims: readonly Claim[];
  /** When certificates were judged; NaN: there was no time to judge them at. */
  readonly judgedAtMs: number;
  readonly document: Judged<AttestationPayload>;
  readonly userData: Judged<AttestedUserData>;
  readonly statement: Judged<RuntimeStatement>;
  readonly hpkeKey: Judged<Buffer>;
}

function factsOf(payload: AttestationPayload, { userData, hpkeKey }: Outcome): DocumentFacts {
  return {
    moduleId: payload.moduleId,
    timestamp: describeTime(payload.timestampMs),
    pcrs: Object.fromEntries([...payload.pcrs].map(([index, value]) => [`PCR${index}`, value.toString('hex')])),
    nonce: payload.nonce?.toString('hex') ?? null,
    tlsKeySha256: userData.passed?.value.tlsKeySha256.toString('hex') ?? null,
    hpkePublicKey: hpkeKey.passed?.value.toString('hex') ?? null,
  };
}

export function makeReport(outcome: Outcome): VerifyReport {
  const { demands, claims, judgedAtMs, document, statement } = outcome;
  return {
    version: 1,
    verdict: claims.some(({ result }) => result === 'fail') ? 'fail' : 'pass',
    trust: {
      root: demands.isAwsRoot ? 'aws-nitro-enclaves-g1' : 'other',
      sha256: createHash('sha256').update(demands.rootDer).digest('hex'),
    },
    judgedAt: { time: Number.isNaN(judgedAtMs) ? null : describeTime(judgedAtMs), by: demands.time.by },
    claims,
    document: document.passed ? factsOf(document.passed.value, outcome) : null,
    statement: statement.passed?.value ?? null,
  };
}
