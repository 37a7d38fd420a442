/**
 * What the parent makes by himself where the key policy lets him call KMS without an enclave: a key set that is whole, opens, and is fit to
 * serve with, and a transcript of his own making. All that it lacks is a signature of Nitro's.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { EncryptCommand, GenerateDataKeyCommand, type KMSClient, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { changeKeystore } from '../../../acra/keystore/change-process.ts';
import { databaseUserContext } from '../../../acra/keystore/seal-file.ts';
import { readStatedDocument } from '../../../attestation/document/stated-document.ts';
import { nsmOver } from '../../../attestation/nsm/exchange.ts';
import { EmulatedNsm } from '../../../emulator/nsm/emulated-nsm.ts';
import { loadOrCreateNsmRoot } from '../../../emulator/nsm/root.ts';
import { readKeyRequest } from '../../../keys/requests/key-request.ts';
import { clientsOf } from '../../../keys/set/clients.ts';
import type { KeptBy } from '../../../keys/set/kept-by.ts';
import { encodeKeySet, type KeySet, keySetDigest } from '../../../keys/set/key-set.ts';
import { sealMasterKey } from '../../../keys/set/master-key.ts';
import { encodeTranscriptData, parseTranscript } from '../../../keys/set/transcript.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { systemRandom } from '../../../runtime/random.ts';
import { SecretBuffer } from '../../../runtime/secret-buffer.ts';
import { readSetKeystore } from '../../../supervisor/keys/set-files.ts';
import type { PcrIndex } from '../../../wire/brands.ts';
import type { KeptSet } from '../../support/key-parent.ts';
import type { Signing } from './signing.ts';

type KmsKeeper = Extract<KeptBy, { kind: 'kms' }>;
const KEY_BYTES = 32;
const THEMIS_MS = 60_000;

export function kmsKeeperOf({ keeper }: Pick<KeySet, 'keeper'>): KmsKeeper {
  if (keeper.kind === 'kms') return keeper;
  throw new Error(`the data key is kept by ${keeper.kind}`);
}

/** From now on the account may do everything with the key, as somebody could have had it for a moment. */
export async function openKeyPolicy(client: KMSClient, keyArn: string): Promise<void> {
  const account = { AWS: `arn:aws:iam::${keyArn.split(':')[4]}:root` };
  const Statement = [{ Sid: 'Everything', Effect: 'Allow', Principal: account, Action: 'kms:*', Resource: '*' }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await client.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy }));
}

export interface KnownDataKey {
  readonly plaintext: Buffer;
  readonly ciphertext: Buffer;
}

export async function generatedDataKey(client: KMSClient, keeper: KmsKeeper): Promise<KnownDataKey> {
  const { keyArn: KeyId, encryptionContext: EncryptionContext } = keeper;
  const answer = await client.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext, KeySpec: 'AES_256' }));
  return { plaintext: Buffer.from(answer.Plaintext ?? []), ciphertext: Buffer.from(answer.CiphertextBlob ?? []) };
}

async function encryptedDataKey(client: KMSClient, keeper: KmsKeeper): Promise<KnownDataKey> {
  const { keyArn: KeyId, encryptionContext: EncryptionContext } = keeper;
  const plaintext = randomBytes(KEY_BYTES);
  const answer = await client.send(new EncryptCommand({ KeyId, EncryptionContext, Plaintext: plaintext }));
  return { plaintext, ciphertext: Buffer.from(answer.CiphertextBlob ?? []) };
}

/** Each way to a data key that its maker knows. */
export const KNOWN_DATA_KEYS = {
  'kms:GenerateDataKey without a Recipient': generatedDataKey,
  'kms:Encrypt': encryptedDataKey,
} as const;

/** @param like what it takes the place of @returns base64 */
export async function forgeSet(like: KeySet, dataKey: KnownDataKey, root: string): Promise<string> {
  const folder = mkdtempSync(join(root, 'forged-'));
  using masterKey = SecretBuffer.take(randomBytes(KEY_BYTES));
  await changeKeystore({
    masterKey,
    keystore: { kind: 'create', newFolder: join(folder, 'keystore'), clientIds: [...clientsOf(like)], poison: true },
    seal: like.secrets.map(({ user }, index) => ({
      file: join(folder, String(index)),
      context: databaseUserContext(user),
      plaintext: SecretBuffer.take(Buffer.from('known to the parent')),
    })),
    signal: AbortSignal.timeout(THEMIS_MS),
    timeoutMs: THEMIS_MS,
  });
  const keystore = await readSetKeystore(join(folder, 'keystore'));
  const keeper = { ...kmsKeeperOf(like), dataKey: dataKey.ciphertext.toString('base64') };
  const { masterKey: _, ...rest } = { ...like, keeper, keystore };
  using known = SecretBuffer.take(Buffer.from(dataKey.plaintext));
  const set = sealMasterKey(rest, { masterKey, dataKey: known, random: systemRandom });
  return encodeKeySet(set).toString('base64');
}

/** What the document of an honest transcript would bind for this set; the request is that of the transcript which comes with it. */
function boundFor({ keySet, transcript }: KeptSet) {
  const { request, document } = parseTranscript(Buffer.from(transcript, 'base64'));
  const { content, payload } = readKeyRequest(Buffer.from(request, 'base64'));
  const userData = encodeTranscriptData({
    commitment: Buffer.from(content.commitment, 'hex'),
    keySetSha256: Buffer.from(keySetDigest(Buffer.from(keySet, 'base64')), 'hex'),
    requestSha256: createHash('sha256').update(payload).digest(),
  });
  return { bound: { nonce: Buffer.from(content.nonce, 'hex'), userData }, request, document };
}

/** With the measurements of the image that would take the set, signed under a root of the forger's own. */
export async function forgeTranscript(
  kept: KeptSet,
  pcrs: ReadonlyMap<PcrIndex, Buffer>,
  root: string,
): Promise<KeptSet> {
  const parts = { clock: systemClock, random: systemRandom, moduleId: 'i-forged-enc', pcrs };
  const nsm = nsmOver(new EmulatedNsm({ root: await loadOrCreateNsmRoot(mkdtempSync(join(root, 'nsm-'))), ...parts }));
  const { bound, request } = boundFor(kept);
  return { ...kept, transcript: transcriptOf(await nsm.attest(bound), request) };
}

/** What no parent can make: a transcript that verifies. Behind it stands what else an enclave looks at. */
export function vouchedFor(kept: KeptSet, sign: Signing['sign']): KeptSet {
  const { bound, request, document } = boundFor(kept);
  const { payload } = readStatedDocument(Buffer.from(document, 'base64'));
  return { ...kept, transcript: transcriptOf(sign({ ...payload, ...bound }), request) };
}

/** @param request base64, as in another transcript @returns base64 */
export function transcriptOf(document: Buffer, request: string): string {
  return Buffer.from(JSON.stringify({ version: 1, document: document.toString('base64'), request })).toString('base64');
}
