/** Keys of every kind that signs, a runtime statement, the measurements.json of a build, and what is signed of it. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { MeasurementsContent } from '../../../../attestation/published/content.ts';
import { pcrOfStatement } from '../../../../attestation/published/content.ts';
import { encodeEnvelope, withSignatureOf } from '../../../../attestation/published/envelope.ts';
import { readSigningKey, readVerifyingKey, type SigningKey } from '../../../../attestation/published/keys.ts';
import { parseMeasurementsJson } from '../../../../attestation/published/measurements-json.ts';
import { toUnsignedEnvelope } from '../../../../attestation/published/sign.ts';
import type { AcraRuntimeStatement } from '../../../../attestation/runtime/statement.ts';

export const DAY_MS = 86_400_000;
export const NOW_MS = Date.parse('2026-11-29T12:00:00Z');

export const pem = (key: KeyObject): Buffer =>
  Buffer.from(key.export(key.type === 'public' ? { type: 'spki', format: 'pem' } : { type: 'pkcs8', format: 'pem' }));

export interface Signer {
  readonly publicPem: Buffer;
  readonly privatePem: Buffer;
  readonly key: SigningKey;
}

export function makeSigner(name: string, kind: 'ed25519' | 'prime256v1' | 'secp384r1'): Signer {
  const { publicKey, privateKey } =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: kind });
  return { publicPem: pem(publicKey), privatePem: pem(privateKey), key: readSigningKey(name, pem(privateKey)) };
}

export const publicKeyOf = ({ publicPem, key }: Signer) => readVerifyingKey(key.name, publicPem);

export const RUNTIME: AcraRuntimeStatement = {
  version: 1,
  release: '0.1.0',
  name: 'clinic',
  configuration: '1'.repeat(64),
  ingress: 'terminate',
  tlsKey: 'attested',
  guard: { mode: 'enforce', relations: 'listed', migrations: [] },
  database: { serverName: 'db.test', ca: '2'.repeat(64) },
  clientCa: '3'.repeat(64),
  keys: { source: 'image' },
  kms: { keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1', encryptionContext: { purpose: 'tests' } },
};

/** As `eif build` writes it, with what nobody here reads. */
export const MEASUREMENTS_JSON = {
  Measurements: {
    HashAlgorithm: 'Sha384 { ... }',
    PCR0: 'a0'.repeat(48),
    PCR1: 'a1'.repeat(48),
    PCR2: 'a2'.repeat(48),
    PCR8: '00'.repeat(48),
  },
  image: { file: 'acra-enclave.eif', bytes: 7, sha256: '4'.repeat(64), isSigned: false, unpackedBytes: 7 },
  ramdisks: [],
  billOfMaterials: { file: 'bom.json', sha256: '5'.repeat(64) },
  runtime: { statement: RUNTIME, PCR16: pcrOfStatement(RUNTIME).toString('hex') },
};

export const CONTENT: MeasurementsContent = parseMeasurementsJson(MEASUREMENTS_JSON);

/** Issued now, for 90 days. */
export function signedBy(...signers: readonly Signer[]): Buffer {
  const unsigned = toUnsignedEnvelope(CONTENT, {
    issuedAtMs: NOW_MS,
    expiresAtMs: NOW_MS + 90 * DAY_MS,
    parentPcrs: new Map(),
    source: { uri: 'git+https://example.org/acra-enclave', gitCommit: '6'.repeat(40) },
  });
  return Buffer.from(encodeEnvelope(signers.reduce((envelope, { key }) => withSignatureOf(envelope, key), unsigned)));
}
