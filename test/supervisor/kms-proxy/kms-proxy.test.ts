/** The KMS proxy before the emulated KMS, asked by the SDK as programs ask it: what is a secret opens for this enclave, and for it alone. */
import { createECDH, createPrivateKey, createPublicKey } from 'node:crypto';
import type { KMSServiceException } from '@aws-sdk/client-kms';
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateMacCommand,
  GenerateRandomCommand,
  GetPublicKeyCommand,
  ListKeysCommand,
  ReEncryptCommand,
  SignCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import t from 'tap';
import { roleArn } from '../../../emulator/principal.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import type { KmsFixture } from '../../emulator/support/kms-fixture.ts';
import { kmsFixture, rolePolicy, serviceError } from '../../emulator/support/kms-fixture.ts';
import { nsmFixture } from '../../emulator/support/nsm-fixture.ts';
import type { Teardown } from './support/proxy-fixture.ts';
import { programClient, REGION, ROLE, startProxy } from './support/proxy-fixture.ts';

const context = { purpose: 'files' };

/** A key that gives secrets to the measured image only, and whatever else to the role. */
function policyFor(fixture: KmsFixture, forwarded: readonly string[]): string {
  const image = fixture.nsm.pcrs.get(toPcrIndex(0))!.toString('hex');
  const attested = ['Decrypt', 'DeriveSharedSecret', 'GenerateDataKey', 'GenerateDataKeyPair'].map((a) => `kms:${a}`);
  const bound = JSON.parse(
    rolePolicy({ StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': image } }, attested),
  );
  bound.Statement.push({
    Effect: 'Allow',
    Principal: { AWS: roleArn(ROLE) },
    Action: forwarded.map((a) => `kms:${a}`),
    Resource: '*',
  });
  return JSON.stringify(bound);
}

const FORWARDED = [
  'DescribeKey',
  'Encrypt',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'GetPublicKey',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'VerifyMac',
];

async function rig(t: Teardown, actions: readonly string[], key: object = {}) {
  const fixture = await kmsFixture(t);
  const Policy = policyFor(fixture, FORWARDED);
  const { KeyMetadata } = await fixture.admin.send(new CreateKeyCommand({ Policy, ...key }));
  const KeyId = KeyMetadata!.Arn!;
  const start = (nsm = fixture.nsm.provider) =>
    startProxy(t, {
      section: {
        regions: [{ region: REGION, endpoint: `https://kms.${REGION}.amazonaws.com:${fixture.kms.port}`, ca: 'ca' }],
        allow: [{ key: KeyId, actions }],
        random: true,
      },
      caPem: fixture.kms.caPem,
      target: { host: fixture.kms.host, port: fixture.kms.port },
      nsm,
      credentials: async () => fixture.roleCredential,
      clock: fixture.clock,
    });
  const running = await start();
  return { ...fixture, ...running, start, KeyId, program: programClient(t, running.url) };
}

t.test('gives a program what it encrypted, with the enclave’s attestation, and no plaintext without it', async (t) => {
  const { program, KeyId, kms } = await rig(t, ['Encrypt', 'Decrypt']);
  for (const length of [1, 2, 3, 4, 32, 4096]) {
    const Plaintext = Buffer.alloc(length, length);
    const { CiphertextBlob } = await program.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: context }));
    const opened = await program.send(new DecryptCommand({ KeyId, CiphertextBlob, EncryptionContext: context }));
    t.same(Buffer.from(opened.Plaintext!), Plaintext, `${length} bytes`);
    t.match(opened, { KeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT', CiphertextForRecipient: undefined });
  }
  const decrypted = kms.audit().filter(({ operation }) => operation === 'Decrypt');
  t.ok(decrypted.length === 6 && decrypted.every(({ recipientPcr0 }) => recipientPcr0 !== undefined));
});

t.test('gives data keys, in clear and sealed, that open again', async (t) => {
  const { program, KeyId } = await rig(t, ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'Decrypt']);
  const made = await program.send(
    new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext: context }),
  );
  const { CiphertextBlob } = made;
  const opened = await program.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
  t.equal(made.Plaintext?.length, 32);
  t.same(opened.Plaintext, made.Plaintext);
  const sealed = await program.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_128' }));
  t.equal((await program.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))).Plaintext?.length, 16);
});

t.test('gives key pairs whose private half is that of the public one', async (t) => {
  const { program, KeyId } = await rig(t, ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext', 'Decrypt']);
  for (const KeyPairSpec of ['ECC_NIST_P256', 'ECC_NIST_P521', 'RSA_2048', 'RSA_4096'] as const) {
    const made = await program.send(new GenerateDataKeyPairCommand({ KeyId, KeyPairSpec }));
    const key = createPrivateKey({ key: Buffer.from(made.PrivateKeyPlaintext!), format: 'der', type: 'pkcs8' });
    t.same(createPublicKey(key).export({ format: 'der', type: 'spki' }), Buffer.from(made.PublicKey!), KeyPairSpec);
    const opened = await program.send(new DecryptCommand({ CiphertextBlob: made.PrivateKeyCiphertextBlob }));
    t.same(opened.Plaintext, made.PrivateKeyPlaintext);
    t.match(made, { KeyId, KeyPairSpec, CiphertextForRecipient: undefined });
  }
  const sealed = await program.send(
    new GenerateDataKeyPairWithoutPlaintextCommand({ KeyId, KeyPairSpec: 'ECC_NIST_P384' }),
  );
  t.ok(sealed.PrivateKeyCiphertextBlob && sealed.PublicKey);
});

t.test('gives random bytes', async (t) => {
  const { program } = await rig(t, ['Decrypt']);
  for (const NumberOfBytes of [1, 32, 1024]) {
    t.equal((await program.send(new GenerateRandomCommand({ NumberOfBytes }))).Plaintext?.length, NumberOfBytes);
  }
});

t.test('gives the secret that the other side of a key agreement has too', async (t) => {
  const key = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' } as const;
  const { program, KeyId } = await rig(t, ['DeriveSharedSecret', 'GetPublicKey'], key);
  const told = await program.send(new GetPublicKeyCommand({ KeyId }));
  const own = createECDH('prime256v1');
  own.generateKeys();
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: own.getPublicKey().subarray(1, 33).toString('base64url'),
    y: own.getPublicKey().subarray(33).toString('base64url'),
  };
  const PublicKey = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'der', type: 'spki' });
  const derived = await program.send(
    new DeriveSharedSecretCommand({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey }),
  );
  const theirs = Buffer.from(told.PublicKey!).subarray(-65);
  t.same(Buffer.from(derived.SharedSecret!), own.computeSecret(theirs));
  t.match(derived, { KeyId, KeyOrigin: 'AWS_KMS', CiphertextForRecipient: undefined });
});

t.test('signs, verifies and makes codes; a wrong one is refused as KMS refuses it', async (t) => {
  const Message = Buffer.from('a message');
  const { program, KeyId } = await rig(t, ['Sign', 'Verify', 'DescribeKey'], {
    KeySpec: 'RSA_2048',
    KeyUsage: 'SIGN_VERIFY',
  });
  const algorithm = { KeyId, Message, SigningAlgorithm: 'RSASSA_PSS_SHA_256' } as const;
  const { Signature } = await program.send(new SignCommand(algorithm));
  t.equal((await program.send(new VerifyCommand({ ...algorithm, Signature }))).SignatureValid, true);
  const wrong = program.send(new VerifyCommand({ ...algorithm, Signature, Message: Buffer.from('another') }));
  t.equal(await serviceError(wrong), 'KMSInvalidSignatureException');
  t.equal((await program.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeySpec, 'RSA_2048');
  const hmac = await rig(t, ['GenerateMac', 'VerifyMac'], { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' });
  const coded = { KeyId: hmac.KeyId, Message, MacAlgorithm: 'HMAC_SHA_256' } as const;
  const { Mac } = await hmac.program.send(new GenerateMacCommand(coded));
  t.equal((await hmac.program.send(new VerifyMacCommand({ ...coded, Mac }))).MacValid, true);
  const other = hmac.program.send(new VerifyMacCommand({ ...coded, Mac, Message: Buffer.from('another') }));
  t.equal(await serviceError(other), 'KMSInvalidMacException');
});

t.test('passes on what KMS says: the type, the words, the number of the request', async (t) => {
  const { program, KeyId, admin, kms } = await rig(t, ['Decrypt', 'Encrypt', 'GenerateDataKey']);
  const error: KMSServiceException = await program
    .send(new DecryptCommand({ KeyId, CiphertextBlob: Buffer.alloc(80) }))
    .catch((caught) => caught);
  t.match(error, { name: 'InvalidCiphertextException', message: 'The ciphertext cannot be decrypted' });
  t.equal(error.$metadata.requestId, kms.audit().at(-1)?.requestId);
  const dry = program.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', DryRun: true }));
  t.equal(await serviceError(dry), 'DryRunOperationException');
  await admin.send(new DisableKeyCommand({ KeyId }));
  t.equal(
    await serviceError(program.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))),
    'DisabledException',
  );
});

t.test('gets nothing from KMS for an enclave of another image', async (t) => {
  const { start, nsm, clock, KeyId, program, kms } = await rig(t, ['Decrypt', 'Encrypt']);
  const { CiphertextBlob } = await program.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('secret') }));
  const other = await nsmFixture(t, { clock, root: nsm.root, image: 'another image' });
  const { url } = await start(other.provider);
  const refused = programClient(t, url).send(new DecryptCommand({ KeyId, CiphertextBlob }));
  t.equal(await serviceError(refused), 'AccessDeniedException');
  t.equal(kms.audit().at(-1)?.errorCode, 'AccessDeniedException');
});

t.test('re-encrypts between two keys that are both allowed', async (t) => {
  const fixture = await kmsFixture(t);
  const [one, two] = [
    await fixture.createKey(policyFor(fixture, FORWARDED)),
    await fixture.createKey(policyFor(fixture, FORWARDED)),
  ];
  const { url } = await startProxy(t, {
    section: {
      regions: [{ region: REGION, endpoint: `https://kms.${REGION}.amazonaws.com:${fixture.kms.port}`, ca: 'ca' }],
      allow: [
        { key: one, actions: ['Encrypt', 'ReEncrypt'] },
        { key: two, actions: ['ReEncrypt', 'Decrypt'] },
      ],
    },
    caPem: fixture.kms.caPem,
    target: fixture.kms,
    nsm: fixture.nsm.provider,
    credentials: async () => fixture.roleCredential,
    clock: fixture.clock,
  });
  const program = programClient(t, url);
  const { CiphertextBlob } = await program.send(new EncryptCommand({ KeyId: one, Plaintext: Buffer.from('moved') }));
  const moved = await program.send(new ReEncryptCommand({ CiphertextBlob, SourceKeyId: one, DestinationKeyId: two }));
  t.match(moved, { SourceKeyId: one, KeyId: two });
  const opened = await program.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }));
  t.equal(Buffer.from(opened.Plaintext!).toString(), 'moved');
});

t.test('rejects actions that no rule names with AccessDeniedException, and asks nobody', async (t) => {
  const { program, KeyId, kms } = await rig(t, ['Decrypt']);
  const before = kms.audit().length;
  for (const command of [
    new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }),
    new ListKeysCommand({}),
    new CreateKeyCommand({}),
    new DisableKeyCommand({ KeyId }),
  ]) {
    const error: Error = await program.send(command as EncryptCommand).catch((caught) => caught);
    t.equal(error.name, 'AccessDeniedException', command.constructor.name);
    t.match(error.message, /enclave\.yaml/);
  }
  t.equal(kms.audit().length, before);
});

t.test('keeps every secret of programs and keys out of log, counters and what inspection shows', async (t) => {
  const { program, KeyId, logger, proxy } = await rig(t, ['Decrypt', 'Encrypt', 'GenerateDataKey']);
  const marker = 'a plaintext that must not be seen';
  const { CiphertextBlob } = await program.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from(marker) }));
  const made = await program.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  await program.send(new DecryptCommand({ CiphertextBlob }));
  const broken = await fetch(`${proxy.environment['AWS_ENDPOINT_URL_KMS']}/`, {
    method: 'POST',
    body: `{"Plaintext": "${marker}`,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.Encrypt' },
  });
  t.equal(broken.status, 400);
  await serviceError(
    program.send(new EncryptCommand({ KeyId: `alias/${marker.replaceAll(' ', '-')}`, Plaintext: Buffer.from(marker) })),
  );
  const said = JSON.stringify([logger.records, proxy.samples, proxy]);
  t.ok(logger.records.length >= 2, 'refusals were told');
  const secrets = [Buffer.from(marker), Buffer.from(made.Plaintext!)];
  for (const form of secrets.flatMap((s) => [s.toString('base64'), s.toString('hex'), s.toString('latin1')]))
    t.notOk(said.includes(form));
  t.notOk(said.includes(marker.replaceAll(' ', '-')), 'nor names that a program made up');
});

t.test('counts requests by action and by what became of them', async (t) => {
  const { program, KeyId, proxy } = await rig(t, ['Decrypt', 'GenerateDataKey']);
  await program.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }));
  await serviceError(program.send(new DecryptCommand({ KeyId, CiphertextBlob: Buffer.alloc(80) })));
  await serviceError(program.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') })));
  await serviceError(program.send(new ListKeysCommand({})));
  t.strictSame(
    proxy.samples.map(({ name, labels, value }) => [name, labels['action'], labels['outcome'], value]),
    [
      ['kms_proxy_requests_total', 'generate-data-key', 'answered', 1],
      ['kms_proxy_requests_total', 'decrypt', 'refused-by-kms', 1],
      ['kms_proxy_requests_total', 'encrypt', 'refused', 1],
      ['kms_proxy_requests_total', 'unknown', 'refused', 1],
    ],
  );
});
