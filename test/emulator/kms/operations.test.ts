import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms';
import t from 'tap';
import { kmsFixture, rolePolicy, sdkClient, serviceError } from '../support/kms-fixture.ts';

const context = { purpose: 'acra-master-key', tenant: 'a' };

t.test('decrypts what it encrypted, whatever the order of the encryption context', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  for (const length of [1, 31, 32, 33, 4096]) {
    const Plaintext = Buffer.alloc(length, 7);
    const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: context }));
    const EncryptionContext = { tenant: 'a', purpose: 'acra-master-key' };
    const answer = await admin.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }));
    t.same(Buffer.from(answer.Plaintext!), Plaintext, `${length} bytes`);
    t.match(answer, { KeyId, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' });
  }
});

t.test('rejects what cannot be decrypted, each with its own error', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const [KeyId, otherKey] = [await createKey(), await createKey()];
  const encrypted = await admin.send(
    new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(32), EncryptionContext: context }),
  );
  const blob = Buffer.from(encrypted.CiphertextBlob!);
  const decrypt = (input: object) =>
    serviceError(admin.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context, ...input })));
  t.equal(await decrypt({}), 'no error');
  t.equal(
    await decrypt({ EncryptionContext: { ...context, tenant: 'b' } }),
    'InvalidCiphertextException',
    'another value',
  );
  t.equal(await decrypt({ EncryptionContext: {} }), 'InvalidCiphertextException', 'no context');
  t.equal(
    await decrypt({ EncryptionContext: { ...context, more: 'x' } }),
    'InvalidCiphertextException',
    'one more name',
  );
  t.equal(await decrypt({ EncryptionContext: { a: 'x', A: 'y' } }), 'ValidationException', 'names differ by case only');
  t.equal(await decrypt({ KeyId: otherKey }), 'IncorrectKeyException');
  t.equal(await decrypt({ KeyId: `${KeyId.slice(0, -1)}x` }), 'NotFoundException');
  t.equal(await decrypt({ KeyId: 'alias/nothing' }), 'NotFoundException');
  t.equal(await decrypt({ CiphertextBlob: blob.subarray(0, -1) }), 'InvalidCiphertextException', 'cut short');
  t.equal(await decrypt({ CiphertextBlob: Buffer.alloc(0) }), 'ValidationException', 'empty');
});

t.test('rejects a ciphertext with any byte changed (InvalidCiphertextException)', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(32) }));
  for (let at = 0; at < CiphertextBlob!.length; at++) {
    const changed = Buffer.from(CiphertextBlob!);
    changed[at]! ^= 1;
    const name = await serviceError(admin.send(new DecryptCommand({ CiphertextBlob: changed })));
    if (name !== 'InvalidCiphertextException') t.fail(`byte ${at}: ${name}`);
  }
  t.equal(CiphertextBlob!.length, 88);
});

t.test('a restart loses nothing: keys, policies, certificate authority, administrator', async (t) => {
  const { kms, admin, createKey, restart } = await kmsFixture(t);
  const Policy = rolePolicy({});
  const KeyId = await createKey();
  const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('kept') }));
  const disabled = await createKey();
  await admin.send(new DisableKeyCommand({ KeyId: disabled }));
  const restricted = await createKey(Policy);
  await kms.stop();
  const second = await restart();
  t.equal(second.caPem, kms.caPem);
  const client = sdkClient(t, second, kms.adminCredentials);
  const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }));
  t.equal(Buffer.from(Plaintext!).toString(), 'kept');
  t.equal((await client.send(new DescribeKeyCommand({ KeyId: disabled }))).KeyMetadata?.KeyState, 'Disabled');
  t.equal((await client.send(new GetKeyPolicyCommand({ KeyId: restricted }))).Policy, Policy);
});

t.test('state files are for their owner alone, and no temporary one stays', async (t) => {
  const { folder, createKey } = await kmsFixture(t);
  await createKey();
  const names = readdirSync(folder, { recursive: true }).map(String);
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  t.equal(files.length, 3, files.join(', '));
  for (const name of files) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  t.equal(statSync(folder).mode & 0o777, 0o700);
});

t.test('describes keys', async (t) => {
  const { admin, createKey, clock } = await kmsFixture(t);
  const Arn = await createKey();
  const KeyId = Arn.split('/')[1]!;
  const { KeyMetadata } = await admin.send(new DescribeKeyCommand({ KeyId }));
  t.match(KeyMetadata, {
    Arn,
    KeyId,
    Enabled: true,
    KeyState: 'Enabled',
    KeySpec: 'SYMMETRIC_DEFAULT',
    MultiRegion: false,
  });
  t.equal(KeyMetadata?.CreationDate?.getTime(), clock.nowMs());
});

t.test('rejects the use of a disabled key (DisabledException) until it is enabled again', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  const encrypt = () => admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
  const { CiphertextBlob } = await encrypt();
  await admin.send(new DisableKeyCommand({ KeyId }));
  t.equal(await serviceError(encrypt()), 'DisabledException');
  t.equal(await serviceError(admin.send(new DecryptCommand({ CiphertextBlob }))), 'DisabledException');
  t.equal(
    await serviceError(admin.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))),
    'DisabledException',
  );
  await admin.send(new EnableKeyCommand({ KeyId }));
  t.equal(await serviceError(encrypt()), 'no error');
});

t.test('generates data keys that Decrypt gives back', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  for (const [input, length] of [
    [{ KeySpec: 'AES_256' }, 32],
    [{ KeySpec: 'AES_128' }, 16],
    [{ NumberOfBytes: 1024 }, 1024],
  ] as const) {
    const made = await admin.send(new GenerateDataKeyCommand({ KeyId, EncryptionContext: context, ...input }));
    const { CiphertextBlob } = made;
    const { Plaintext } = await admin.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
    t.equal(Plaintext!.length, length);
    t.same(Plaintext, made.Plaintext);
  }
});

t.test('generates random bytes', async (t) => {
  const { role } = await kmsFixture(t);
  const [one, two] = await Promise.all([1, 2].map(() => role.send(new GenerateRandomCommand({ NumberOfBytes: 1024 }))));
  t.equal(one!.Plaintext!.length, 1024);
  t.notSame(one!.Plaintext, two!.Plaintext);
});

t.test('rejects requests out of their limits (ValidationException)', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  const requests: Record<string, () => Promise<unknown>> = {
    'Encrypt of nothing': () => admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(0) })),
    'Encrypt of 4097 bytes': () => admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(4097) })),
    'GenerateRandom of 0': () => admin.send(new GenerateRandomCommand({ NumberOfBytes: 0 })),
    'GenerateRandom of 1025': () => admin.send(new GenerateRandomCommand({ NumberOfBytes: 1025 })),
    'GenerateDataKey without a size': () => admin.send(new GenerateDataKeyCommand({ KeyId })),
    'GenerateDataKey with two': () =>
      admin.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', NumberOfBytes: 32 })),
    'another algorithm': () =>
      admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.alloc(1), EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })),
  };
  for (const [name, request] of Object.entries(requests)) {
    t.equal(await serviceError(request()), 'ValidationException', name);
  }
});

t.test('rejects operations and keys that it does not have', async (t) => {
  const { admin } = await kmsFixture(t);
  t.equal(await serviceError(admin.send(new ListKeysCommand({}))), 'UnknownOperationException');
  for (const kind of [
    { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' },
    { KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' },
    { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'SIGN_VERIFY' },
  ] as const)
    t.equal(await serviceError(admin.send(new CreateKeyCommand(kind))), 'UnsupportedOperationException');
});

t.test('rejects a policy that locks its author out, unless told (MalformedPolicyDocumentException)', async (t) => {
  const { admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  const Policy = JSON.stringify({ Statement: [] as unknown[] });
  const onlyOthers = JSON.stringify({
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt', Resource: '*' }],
  });
  for (const text of [Policy, onlyOthers, 'no JSON']) {
    const put = new PutKeyPolicyCommand({ KeyId, Policy: text });
    t.equal(await serviceError(admin.send(put)), 'MalformedPolicyDocumentException');
    t.equal(await serviceError(admin.send(new CreateKeyCommand({ Policy: text }))), 'MalformedPolicyDocumentException');
  }
  await admin.send(new PutKeyPolicyCommand({ KeyId, Policy: onlyOthers, BypassPolicyLockoutSafetyCheck: true }));
  t.equal(await serviceError(admin.send(new GetKeyPolicyCommand({ KeyId }))), 'AccessDeniedException');
});

t.test('only the administrator creates keys, and a role needs the key policy (AccessDeniedException)', async (t) => {
  const { role, admin, createKey } = await kmsFixture(t);
  const KeyId = await createKey();
  t.equal(await serviceError(role.send(new CreateKeyCommand({}))), 'AccessDeniedException');
  t.equal(await serviceError(role.send(new DescribeKeyCommand({ KeyId }))), 'AccessDeniedException');
  const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }));
  t.equal(await serviceError(role.send(new DecryptCommand({ CiphertextBlob }))), 'AccessDeniedException');
});

t.test('the audit trail tells who did what, in memory and on disk, and no plaintext', async (t) => {
  const { admin, role, createKey, kms, folder } = await kmsFixture(t);
  const KeyId = await createKey();
  const Plaintext = Buffer.from('a secret that must not be written');
  const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext: context }));
  await admin.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }));
  await serviceError(role.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context })));
  t.match(kms.audit(), [
    { operation: 'CreateKey', outcome: 'success', keyArn: KeyId },
    { operation: 'Encrypt', outcome: 'success', keyArn: KeyId, encryptionContext: context },
    { operation: 'Decrypt', outcome: 'success', principal: /:user\/administrator$/ },
    {
      operation: 'Decrypt',
      outcome: 'error',
      errorCode: 'AccessDeniedException',
      principal: /assumed-role\/enclave\/i-0$/,
    },
  ]);
  const text = readFileSync(join(folder, 'audit.jsonl'), 'utf8');
  t.same(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    kms.audit(),
  );
  for (const form of ['utf8', 'base64', 'hex'] as const) t.notOk(text.includes(Plaintext.toString(form)), form);
});
