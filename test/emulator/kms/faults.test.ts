import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import type { Fault } from '../../../emulator/kms/faults.ts';
import { openEnvelopedData } from '../../../kms/cms/enveloped-data.ts';
import { CmsError } from '../../../kms/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { kmsFixture, recipientKey, rolePolicy, sdkClient, serviceError } from '../support/kms-fixture.ts';

const SECRET = Buffer.alloc(32, 9);

/** An attested Decrypt that works, to be spoilt by one fault. */
async function faultFixture(t: Parameters<typeof kmsFixture>[0], Plaintext = SECRET) {
  const fixture = await kmsFixture(t);
  const { kms, admin, role, recipient, createKey } = fixture;
  const KeyId = await createKey(rolePolicy({}));
  const { CiphertextBlob } = await admin.send(new EncryptCommand({ KeyId, Plaintext }));
  const Recipient = await recipient();
  return {
    ...fixture,
    KeyId,
    decrypt: (client = role) => client.send(new DecryptCommand({ CiphertextBlob, Recipient })),
    async decryptWith(fault: Fault) {
      kms.faults.next('Decrypt', fault);
      return role.send(new DecryptCommand({ CiphertextBlob, Recipient }));
    },
  };
}

function open(answer: { CiphertextForRecipient?: Uint8Array | undefined }): Buffer {
  const secret = openEnvelopedData(Buffer.from(answer.CiphertextForRecipient!), recipientKey.privateKey);
  return secret.use((bytes) => Buffer.from(bytes));
}

t.test('throttles as often as told, then works again', async (t) => {
  const { kms, decrypt } = await faultFixture(t);
  kms.faults.next('Decrypt', { kind: 'throttle' }, 2);
  kms.faults.next('Encrypt', { kind: 'throttle' });
  t.equal(await serviceError(decrypt()), 'ThrottlingException');
  t.equal(await serviceError(decrypt()), 'ThrottlingException');
  t.same(open(await decrypt()), SECRET, 'the fault of another operation is not ours');
  kms.faults.next('Decrypt', { kind: 'throttle' });
  kms.faults.clear();
  t.equal(await serviceError(decrypt()), 'no error');
});

t.test('says that the token has expired', async (t) => {
  const { decryptWith } = await faultFixture(t);
  t.equal(await serviceError(decryptWith({ kind: 'expired-token' })), 'ExpiredTokenException');
});

t.test('returns the plaintext beside the envelope', async (t) => {
  const { decryptWith } = await faultFixture(t);
  const answer = await decryptWith({ kind: 'return-plaintext' });
  t.same(Buffer.from(answer.Plaintext!), SECRET);
  t.same(open(answer), SECRET);
});

t.test('omits the envelope', async (t) => {
  const { decryptWith, KeyId } = await faultFixture(t);
  const answer = await decryptWith({ kind: 'omit-recipient-ciphertext' });
  t.match(answer, { KeyId, CiphertextForRecipient: undefined, Plaintext: undefined });
});

t.test('answers in the name of another key', async (t) => {
  const { decryptWith, KeyId } = await faultFixture(t);
  const answer = await decryptWith({ kind: 'wrong-key-id' });
  t.not(answer.KeyId, KeyId);
  t.match(answer.KeyId, /^arn:aws:kms:eu-central-1:111122223333:key\/[0-9a-f-]{36}$/);
});

t.test('tampers with the envelope', async (t) => {
  for (const length of [1, 15, 16, 32]) {
    const { decryptWith } = await faultFixture(t, Buffer.alloc(length, 9));
    for (const part of ['key', 'padding'] as const) {
      const answer = await decryptWith({ kind: 'tamper-recipient-ciphertext', part });
      throwsCode(() => open(answer), CmsError, 'CMS_DECRYPT_FAILED');
    }
    const altered = open(await decryptWith({ kind: 'tamper-recipient-ciphertext', part: 'iv' }));
    t.same(
      [altered[0], ...altered.subarray(1)],
      [9 ^ 0xff, ...Buffer.alloc(length - 1, 9)],
      `${length} bytes: first byte altered`,
    );
  }
});

t.test('closes the connection without an answer', async (t) => {
  const { decryptWith, decrypt } = await faultFixture(t);
  await t.rejects(decryptWith({ kind: 'close' }), { code: 'ECONNRESET' });
  t.same(open(await decrypt()), SECRET);
});

t.test('never answers, and stop() ends the connection all the same', async (t) => {
  const { kms, decrypt, roleCredential } = await faultFixture(t);
  const client = sdkClient(t, kms, roleCredential);
  kms.faults.next('Decrypt', { kind: 'hang' });
  const hanging = t.rejects(decrypt(client), { code: 'ECONNRESET' });
  while (kms.audit().at(-1)?.outcome !== 'unanswered') await new Promise((resolve) => setImmediate(resolve));
  t.match(kms.audit().at(-1), { operation: 'Decrypt', fault: 'hang' });
  await kms.stop();
  await hanging;
});
