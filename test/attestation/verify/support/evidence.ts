/** Evidence of an enclave that is as it should be, and what its verifier demands; each part open to change. */
import type { KeyObject } from 'node:crypto';
import { encodeAttestationPayload } from '../../../../attestation/document/encode.ts';
import type { AttestationPayload } from '../../../../attestation/document/payload.ts';
import {
  type AcraRuntimeStatement,
  commitmentTo,
  encodeStatement,
  pcrOfCommitment,
  type RuntimeStatement,
} from '../../../../attestation/runtime/statement.ts';
import { encodeUserData } from '../../../../attestation/runtime/user-data.ts';
import type { Demands } from '../../../../attestation/verify/demands.ts';
import type { VerifyReport } from '../../../../attestation/verify/report.ts';
import type { Evidence } from '../../../../attestation/verify/verify.ts';
import { ES384, signCoseSign1 } from '../../../../encoding/cose-sign1.ts';
import type { PcrIndex } from '../../../../wire/brands.ts';
import { pemOf } from '../../support/certificate.ts';
import { type Chain, cabundleOf, makeChain, NOW_MS } from '../../support/chain.ts';
import { pcr } from '../../support/payload.ts';

export const NONCE: Buffer = Buffer.alloc(32, 0x4e);
export const TLS_KEY_SHA256: Buffer = Buffer.alloc(32, 0x71);
/** RFC 7748 section 6.1: Alice's public key. */
export const HPKE_KEY: Buffer = Buffer.from('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a', 'hex');

export const statement: AcraRuntimeStatement = {
  version: 1,
  release: '0.1.0',
  name: 'patients',
  configuration: '11'.repeat(32),
  ingress: 'terminate',
  tlsKey: 'attested',
  guard: { mode: 'enforce', relations: 'listed', migrations: [] },
  database: { serverName: 'db.example.org', ca: '22'.repeat(32) },
  clientCa: '33'.repeat(32),
  kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1', encryptionContext: { service: 'patients' } },
  keys: { source: 'image' },
};

/** Of an enclave whose keys the parent instance keeps. */
export const keptByParent = (pin: string): AcraRuntimeStatement => ({
  ...statement,
  keys: {
    source: 'parent',
    pin,
    operators: [
      { name: 'anna', key: '44'.repeat(32) },
      { name: 'boris', key: '55'.repeat(32) },
    ],
    approvals: 2,
    ceremony: 'refused',
    madeIn: ['66'.repeat(48)],
    formerKmsKeys: ['arn:aws:kms:eu-central-1:111122223333:key/0'],
    keeper: { kind: 'kms' },
  },
});
export const KEY_SET = '77'.repeat(32);

/** Of the parts that the enclave fills in: what it commits to shows in user data and PCR16. */
export function honestPayload(chain: Chain, stated: RuntimeStatement = statement): AttestationPayload {
  const commitment = commitmentTo(encodeStatement(stated));
  return {
    moduleId: 'i-0123456789abcdef0-enc0123456789abcde',
    digest: 'SHA384',
    timestampMs: NOW_MS - 1_000,
    pcrs: new Map<PcrIndex, Buffer>([
      ...Array.from({ length: 32 }, (_, index) => pcr(index, 0)),
      ...[0, 1, 2, 3, 4, 8].map((index) => pcr(index)),
      pcr(16, pcrOfCommitment(commitment)),
    ]),
    certificate: chain.leaf.der,
    cabundle: cabundleOf(chain),
    publicKey: HPKE_KEY,
    userData: encodeUserData({ tlsKeySha256: TLS_KEY_SHA256, commitment }),
    nonce: NONCE,
  };
}

export const signed = (payload: AttestationPayload, key: KeyObject): Buffer =>
  signCoseSign1(ES384, encodeAttestationPayload(payload), key);

export const chain: Chain = makeChain();

/** @param stated what the enclave commits to; `shown` follows it */
export function evidenceOf(changes: Partial<AttestationPayload> = {}, stated: RuntimeStatement = statement): Evidence {
  const document = signed({ ...honestPayload(chain, stated), ...changes }, chain.leaf.privateKey);
  return { document, statement: encodeStatement(stated) };
}

/** Everything that can be demanded. */
export const demands: Demands = {
  measurements: { pcrs: new Map([0, 1, 2, 3, 4, 8].map((index) => pcr(index))), statement },
  time: { by: 'clock', nowMs: NOW_MS },
  nonce: NONCE,
  tlsKeySha256: TLS_KEY_SHA256,
  attestedTlsKey: true,
  pinnedKeys: true,
  trustRootPem: pemOf(chain.root),
};

/** The registers of an honest document, but for some. */
export function pcrsWith(...changed: [PcrIndex, Buffer][]): ReadonlyMap<PcrIndex, Buffer> {
  return new Map([...honestPayload(chain).pcrs, ...changed]);
}

/** What failed, and why: `['pcr0 ATTESTATION_PCR_MISMATCH']`. */
export function failuresOf({ claims }: VerifyReport): string[] {
  return claims.flatMap(({ claim, result, code }) => (result === 'fail' ? [`${claim} ${code}`] : []));
}

export function resultOf({ claims }: VerifyReport, claim: string): string | undefined {
  return claims.find((each) => each.claim === claim)?.result;
}
