/**
 * What the vectors of key sets are made of: an enclave with its boot, operators, requests, sets and transcripts, all of which follow from texts
 * here, so that the same bytes come out each time. None of the keys is a secret.
 */
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { clientKeyFiles, POISON_FILES } from '../../../acra/keystore/layout.ts';
import { encodeAttestationPayload } from '../../../attestation/document/encode.ts';
import { encodeEnvelope, withSignatureOf } from '../../../attestation/published/envelope.ts';
import { readSigningKey, type SigningKey } from '../../../attestation/published/keys.ts';
import { commitmentTo, encodeStatement } from '../../../attestation/runtime/statement.ts';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { type KeyAction, type KeyRequest, toKeyRequestEnvelope } from '../../../keys/requests/key-request.ts';
import { encodeKeySet, type KeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { sealMasterKey } from '../../../keys/set/master-key.ts';
import { encodeTranscriptData } from '../../../keys/set/transcript.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { generationContext } from '../../../wire/generation-context.ts';
import { type Chain, makeChain, NOW_MS } from '../../attestation/support/chain.ts';
import { honestPayload, keptByParent } from '../../attestation/verify/support/evidence.ts';
import { signBytes } from '../../attestation/verify/vectors/vector.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { AES_256_GCM, rawPublic, referenceSeal, x25519Private } from '../support/hpke-reference.ts';

export const chain: Chain = makeChain({}, 'key set vectors');
export const MADE_AT_MS: number = NOW_MS;
export const stated = keptByParent('none');
export const COMMITMENT: Buffer = commitmentTo(encodeStatement(stated));
export const PCR0: string = (honestPayload(chain, stated).pcrs.get(toPcrIndex(0)) ?? Buffer.alloc(0)).toString('hex');

const bytesOf = (text: string, length = 32) => seededRandom(`key set vectors: ${text}`).bytes(length);
export const BOOT_KEY: Buffer = bytesOf('boot key');
const bootPrivate = x25519Private(BOOT_KEY);

const ED25519_PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface VectorOperator {
  readonly name: string;
  readonly key: SigningKey;
  readonly publicPem: string;
}

export function operatorNamed(name: string): VectorOperator {
  const der = Buffer.concat([ED25519_PKCS8, bytesOf(`operator ${name}`)]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  const publicPem = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }).toString();
  return { name, key: readSigningKey(name, Buffer.from(pem)), publicPem };
}

export const [ANNA, BORIS, STRANGER] = ['anna', 'boris', 'stranger'].map(operatorNamed) as [
  VectorOperator,
  VectorOperator,
  VectorOperator,
];
export const CLIENT: string = createHash('sha512').update('CN=application').digest('hex');

export function requestFor(action: KeyAction, changes: Partial<KeyRequest> = {}): KeyRequest {
  return {
    version: 1,
    enclave: stated.name,
    commitment: COMMITMENT.toString('hex'),
    enclaveKey: rawPublic(bootPrivate).toString('base64'),
    nonce: bytesOf(`nonce of ${action.kind}`).toString('hex'),
    from: null,
    action,
    ...changes,
  };
}

/** @returns the file that operators sign, one after the other */
export function signedRequest(request: KeyRequest, operators: readonly VectorOperator[]): Buffer {
  const envelope = operators.reduce(
    (unsigned, { key }) => withSignatureOf(unsigned, key),
    toKeyRequestEnvelope(request),
  );
  return Buffer.from(encodeEnvelope(envelope));
}

/** As RFC 9180 has it, with an ephemeral key that follows from the user's name. */
export function secretOf(request: KeyRequest, user: string, secret: string) {
  const { enclave, commitment, nonce } = request;
  const info = canonicalJson({ domain: 'acra-enclave sealed secret v1', enclave, commitment, nonce });
  const binding = { aead: AES_256_GCM, info: Buffer.from(info), associated: Buffer.from(user) };
  const ephemeral = bytesOf(`ephemeral key for ${user}`);
  const message = referenceSeal(ephemeral, rawPublic(bootPrivate), Buffer.from(secret), binding);
  return {
    user,
    encapsulated: message.encapsulated.toString('base64'),
    ciphertext: message.ciphertext.toString('base64'),
  };
}

export interface MadeSet {
  readonly set: KeySet;
  readonly encoding: Buffer;
  readonly sha256: string;
  readonly dataKey: Buffer;
  readonly masterKey: Buffer;
}

const idOf = (generation: number) => bytesOf(`key id ${generation}`, 2).toString('hex');

/** Files, secrets and ids are random: they open for nobody, which no format of a key set looks at. */
export function makeSet(generation: number, previous: string | null): MadeSet {
  const dataKey = bytesOf(`data key ${generation}`);
  const masterKey = bytesOf(`master key ${generation}`);
  const files = [...Object.values(POISON_FILES), ...clientKeyFiles(CLIENT)].map(({ path }) => path).toSorted();
  const { kms, name } = stated;
  if (kms === null) throw new Error('the stated enclave has a KMS key');
  const whole = sealMasterKey(
    {
      version: 1,
      name,
      generation,
      previous,
      keeper: {
        kind: 'kms',
        keyArn: kms!.keyArn,
        encryptionContext: { ...kms!.encryptionContext, ...generationContext(generation) },
        dataKey: bytesOf(`CiphertextBlob ${generation}`, 184).toString('base64'),
      },
      keystore: files.map((path) => ({ path, content: bytesOf(`${path} ${generation}`, 77).toString('base64') })),
      secrets: [{ user: 'app', slot: 'secret', sealed: bytesOf('app', 60).toString('base64'), verifier: null }],
      keyIds: [{ clientId: CLIENT, current: idOf(generation), old: [idOf(0)] }],
    },
    {
      masterKey: SecretBuffer.take(Buffer.from(masterKey)),
      dataKey: SecretBuffer.take(Buffer.from(dataKey)),
      random: seededRandom(`key set vectors: nonce ${generation}`),
    },
  );
  const encoding = encodeKeySet(whole);
  return { set: whole, encoding, sha256: keySetDigest(encoding), dataKey, masterKey };
}

export interface TranscriptChanges {
  readonly nonce?: Buffer;
  readonly timestampMs?: number;
  readonly userData?: Buffer | undefined;
  readonly pcrs?: ReturnType<typeof honestPayload>['pcrs'];
  readonly of?: Chain;
}

/** @param changes of the document, which is signed behind them */
export function transcriptOf(encoding: Buffer, envelope: Buffer, request: KeyRequest, changes: TranscriptChanges = {}) {
  const { of = chain, ...members } = changes;
  const userData = encodeTranscriptData({
    commitment: COMMITMENT,
    keySetSha256: Buffer.from(keySetDigest(encoding), 'hex'),
    requestSha256: createHash('sha256').update(canonicalJson(request)).digest(),
  });
  const honest = honestPayload(of, stated);
  const publicKey = rawPublic(bootPrivate);
  const nonce = Buffer.from(request.nonce, 'hex');
  const payload = { ...honest, publicKey, timestampMs: MADE_AT_MS, nonce, userData, ...members };
  const document = signBytes(encodeAttestationPayload(payload), of);
  return { version: 1 as const, document: document.toString('base64'), request: envelope.toString('base64') };
}

export const transcriptJson = (transcript: object): Buffer => Buffer.from(JSON.stringify(transcript));
