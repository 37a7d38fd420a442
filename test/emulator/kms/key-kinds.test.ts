/** Operations of keys that are not symmetric encryption keys, as real KMS answers them. */
import { createPublicKey, diffieHellman, generateKeyPairSync, verify } from 'node:crypto';
import type { CreateKeyCommandInput } from '@aws-sdk/client-kms';
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import t from 'tap';
import { openEnvelopedData } from '../../../kms/cms/enveloped-data.ts';
import type { KmsFixture } from '../support/kms-fixture.ts';
import { kmsFixture, recipientKey, rolePolicy, sdkClient, serviceError } from '../support/kms-fixture.ts';

const Message = Buffer.from('a message');

async function keyOf({ admin }: KmsFixture, kind: CreateKeyCommandInput): Promise<string> {
  return (await admin.send(new CreateKeyCommand(kind))).KeyMetadata!.Arn!;
}

function opened(envelope: Uint8Array | undefined): Buffer {
  const secret = openEnvelopedData(Buffer.from(envelope!), recipientKey.privateKey);
  return secret.use((bytes) => Buffer.from(bytes));
}

t.test('signs so that others can verify by the public key, and verifies its own', async (t) => {
  const fixture = await kmsFixture(t);
  const { admin } = fixture;
  for (const [KeySpec, SigningAlgorithm, hash] of [
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'sha256'],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 'sha256'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_512', 'sha512'],
  ] as const) {
    const KeyId = await keyOf(fixture, { KeySpec, KeyUsage: 'SIGN_VERIFY' });
    const { Signature } = await admin.send(new SignCommand({ KeyId, Message, SigningAlgorithm }));
    const told = await admin.send(new GetPublicKeyCommand({ KeyId }));
    const key = createPublicKey({ key: Buffer.from(told.PublicKey!), format: 'der', type: 'spki' });
    t.ok(verify(hash, Message, key, Signature!), KeySpec);
    t.match(told, { KeyId, KeySpec, KeyUsage: 'SIGN_VERIFY' });
    t.ok(told.SigningAlgorithms?.includes(SigningAlgorithm));
    const judged = { KeyId, Message, SigningAlgorithm, Signature };
    t.equal((await admin.send(new VerifyCommand(judged))).SignatureValid, true);
    const changed = admin.send(new VerifyCommand({ ...judged, Message: Buffer.from('another') }));
    t.equal(await serviceError(changed), 'KMSInvalidSignatureException');
  }
});

t.test('makes codes and refuses wrong ones', async (t) => {
  const fixture = await kmsFixture(t);
  const KeyId = await keyOf(fixture, { KeySpec: 'HMAC_512', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const coded = { KeyId, Message, MacAlgorithm: 'HMAC_SHA_512' } as const;
  const { Mac } = await fixture.admin.send(new GenerateMacCommand(coded));
  t.equal(Mac?.length, 64);
  t.equal((await fixture.admin.send(new VerifyMacCommand({ ...coded, Mac }))).MacValid, true);
  const short = fixture.admin.send(new VerifyMacCommand({ ...coded, Mac: Mac!.subarray(1) }));
  t.equal(await serviceError(short), 'KMSInvalidMacException');
  const other = fixture.admin.send(new GenerateMacCommand({ ...coded, MacAlgorithm: 'HMAC_SHA_256' }));
  t.equal(await serviceError(other), 'InvalidKeyUsageException');
});

t.test('derives a secret as the other side does, sealed for an attested recipient', async (t) => {
  const fixture = await kmsFixture(t);
  const KeyId = await keyOf(fixture, { KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' });
  const told = await fixture.admin.send(new GetPublicKeyCommand({ KeyId }));
  const own = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const asked = {
    KeyId,
    KeyAgreementAlgorithm: 'ECDH',
    PublicKey: own.publicKey.export({ format: 'der', type: 'spki' }),
  } as const;
  const theirs = createPublicKey({ key: Buffer.from(told.PublicKey!), format: 'der', type: 'spki' });
  const expected = diffieHellman({ privateKey: own.privateKey, publicKey: theirs });
  const plain = await fixture.admin.send(new DeriveSharedSecretCommand(asked));
  t.same(Buffer.from(plain.SharedSecret!), expected);
  const sealed = await fixture.admin.send(
    new DeriveSharedSecretCommand({ ...asked, Recipient: await fixture.recipient() }),
  );
  t.equal(sealed.SharedSecret, undefined);
  t.same(opened(sealed.CiphertextForRecipient), expected);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' });
  const refused = fixture.admin.send(new DeriveSharedSecretCommand({ ...asked, PublicKey: other }));
  t.equal(await serviceError(refused), 'ValidationException');
});

t.test('makes key pairs, sealed for an attested recipient, and data keys without plaintext', async (t) => {
  const fixture = await kmsFixture(t);
  const { admin } = fixture;
  const KeyId = await fixture.createKey();
  const asked = { KeyId, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext: { a: 'b' } } as const;
  const made = await admin.send(new GenerateDataKeyPairCommand({ ...asked, Recipient: await fixture.recipient() }));
  t.equal(made.PrivateKeyPlaintext, undefined);
  const CiphertextBlob = made.PrivateKeyCiphertextBlob;
  const { Plaintext } = await admin.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: 'b' } }));
  t.same(opened(made.CiphertextForRecipient), Buffer.from(Plaintext!));
  const without = await admin.send(new GenerateDataKeyPairWithoutPlaintextCommand(asked));
  t.ok(without.PublicKey && without.PrivateKeyCiphertextBlob);
  const key = await admin.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId }));
  t.equal((await admin.send(new DecryptCommand({ CiphertextBlob: key.CiphertextBlob }))).Plaintext?.length, 32);
});

t.test('re-encrypts where both keys allow it, and nowhere else', async (t) => {
  const fixture = await kmsFixture(t);
  const { admin, role } = fixture;
  const from = await fixture.createKey(rolePolicy({}, ['kms:ReEncryptFrom']));
  const to = await fixture.createKey(rolePolicy({}, ['kms:ReEncryptTo', 'kms:Decrypt']));
  const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId: from, Plaintext: Message }));
  const moved = await role.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to }));
  t.match(moved, { SourceKeyId: from, KeyId: to });
  t.same(
    Buffer.from((await role.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))).Plaintext!),
    Message,
  );
  const back = role.send(new ReEncryptCommand({ CiphertextBlob: moved.CiphertextBlob, DestinationKeyId: from }));
  t.equal(await serviceError(back), 'AccessDeniedException');
});

t.test('rejects keys for what they are not (InvalidKeyUsageException), and tells what they are for', async (t) => {
  const fixture = await kmsFixture(t);
  const { admin } = fixture;
  const signing = await keyOf(fixture, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' });
  const symmetric = await fixture.createKey();
  const refused = {
    encrypt: admin.send(new EncryptCommand({ KeyId: signing, Plaintext: Message })),
    dataKey: admin.send(new GenerateDataKeyCommand({ KeyId: signing, KeySpec: 'AES_256' })),
    sign: admin.send(new SignCommand({ KeyId: symmetric, Message, SigningAlgorithm: 'ECDSA_SHA_256' })),
    algorithm: admin.send(new SignCommand({ KeyId: signing, Message, SigningAlgorithm: 'ECDSA_SHA_256' })),
  };
  for (const [what, answer] of Object.entries(refused))
    t.equal(await serviceError(answer), 'InvalidKeyUsageException', what);
  const noPublicKey = admin.send(new GetPublicKeyCommand({ KeyId: symmetric }));
  t.equal(await serviceError(noPublicKey), 'UnsupportedOperationException');
  const { KeyMetadata } = await admin.send(new DescribeKeyCommand({ KeyId: signing }));
  t.match(KeyMetadata, { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY', EncryptionAlgorithms: undefined });
});

t.test('answers a dry run as KMS does: with an error that says that it would have succeeded', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  const dryRun = { KeySpec: 'AES_256', DryRun: true } as const;
  t.equal(await serviceError(admin.send(new GenerateDataKeyCommand({ KeyId, ...dryRun }))), 'DryRunOperationException');
  t.equal(await serviceError(admin.send(new GenerateDataKeyCommand({ KeyId: 'x', ...dryRun }))), 'NotFoundException');
});

t.test('keeps keys of every kind over a restart', async (t) => {
  const fixture = await kmsFixture(t);
  const KeyId = await keyOf(fixture, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' });
  const told = await fixture.admin.send(new GetPublicKeyCommand({ KeyId }));
  await fixture.kms.stop();
  const again = sdkClient(t, await fixture.restart(), fixture.kms.adminCredentials);
  t.same((await again.send(new GetPublicKeyCommand({ KeyId }))).PublicKey, told.PublicKey);
});
