import { DisableKeyCommand, EncryptCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { pcrOfCommitment } from '../../../attestation/runtime/statement.ts';
import type { Fault } from '../../../emulator/kms/faults.ts';
import { AttestedKms } from '../../../kms/client.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import type { KmsFixture } from '../support/kms-fixture.ts';
import { kmsFixture, REGION, rolePolicy } from '../support/kms-fixture.ts';
import { nsmFixture } from '../support/nsm-fixture.ts';

const encryptionContext = { purpose: 'acra-master-key' };
const MASTER_KEY = Buffer.alloc(32, 9);

/** The product's own client against the emulator, with a key whose policy names the measurements. */
async function clientFixture(t: Parameters<typeof kmsFixture>[0]) {
  const fixture = await kmsFixture(t);
  const image = fixture.nsm.pcrs.get(toPcrIndex(0))!.toString('hex');
  const policy = rolePolicy({ StringEqualsIgnoreCase: { 'kms:RecipientAttestation:ImageSha384': image } });
  const keyArn = await fixture.createKey(policy);
  const encrypted = await fixture.admin.send(
    new EncryptCommand({ KeyId: keyArn, Plaintext: MASTER_KEY, EncryptionContext: encryptionContext }),
  );
  return { ...fixture, keyArn, ciphertext: Buffer.from(encrypted.CiphertextBlob!) };
}

function attestedKms(t: Parameters<typeof kmsFixture>[0], fixture: KmsFixture, nsm = fixture.nsm): AttestedKms {
  const { kms, roleCredential } = fixture;
  const connection = {
    region: REGION,
    endpoint: new URL(`https://kms.${REGION}.amazonaws.com:${kms.port}`),
    caPem: kms.caPem,
    dial: { host: kms.host, port: kms.port },
    credentials: async () => roleCredential,
    requestTimeoutMs: 5000,
  };
  const client = new AttestedKms(connection, nsm.provider);
  t.teardown(() => client.close());
  return client;
}

async function codeOf(action: Promise<unknown>): Promise<string | undefined> {
  return action.then(
    () => 'no error',
    (error) => errorCode(error),
  );
}

t.test("gives the product's own client a master key that only it can open", async (t) => {
  const fixture = await clientFixture(t);
  const { keyArn, ciphertext } = fixture;
  const client = attestedKms(t, fixture);
  const signal = AbortSignal.timeout(10_000);
  const secret = await client.decrypt({ ciphertext, keyArn, encryptionContext, signal });
  t.same(
    secret.use((bytes) => Buffer.from(bytes)),
    MASTER_KEY,
  );
  const made = await client.generateDataKey({ keyArn, encryptionContext, signal });
  t.equal(made.plaintext.length, 32);
  t.equal((await client.generateRandom({ lengthBytes: 512, signal })).length, 512);
});

t.test('opens by a policy with PCR16 once the enclave has committed to that value, and to no other', async (t) => {
  const commitment = Buffer.alloc(48, 7);
  const PCR16 = toPcrIndex(16);
  const fixture = await clientFixture(t);
  const { admin, keyArn, ciphertext, nsm, clock } = fixture;
  const value = pcrOfCommitment(commitment).toString('hex');
  const policy = rolePolicy({ StringEqualsIgnoreCase: { 'kms:RecipientAttestation:PCR16': value } });
  await admin.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy: policy }));
  const decrypt = (module = nsm) => {
    const signal = AbortSignal.timeout(10_000);
    return codeOf(attestedKms(t, fixture, module).decrypt({ ciphertext, keyArn, encryptionContext, signal }));
  };
  t.equal(await decrypt(), 'KMS_ACCESS_DENIED', 'before');
  await nsm.provider.extendPcr(PCR16, commitment);
  t.equal(await decrypt(), 'KMS_ACCESS_DENIED', 'a register that is not locked is in no document');
  await nsm.provider.lockPcrs(32);
  t.equal(await decrypt(), 'no error');
  const other = await nsmFixture(t, { clock, root: nsm.root });
  await other.provider.extendPcr(PCR16, Buffer.alloc(48, 8));
  await other.provider.lockPcrs(32);
  t.equal(await decrypt(other), 'KMS_ACCESS_DENIED', 'the same image, told to do something else');
});

t.test('lets the client tell every fault from every other', async (t) => {
  const fixture = await clientFixture(t);
  const { kms, keyArn, ciphertext } = fixture;
  const client = attestedKms(t, fixture);
  const faults: readonly (readonly [Fault, string])[] = [
    [{ kind: 'throttle' }, 'KMS_THROTTLED'],
    [{ kind: 'expired-token' }, 'KMS_CREDENTIALS_EXPIRED'],
    [{ kind: 'close' }, 'KMS_UNAVAILABLE'],
    [{ kind: 'return-plaintext' }, 'KMS_PLAINTEXT_RETURNED'],
    [{ kind: 'omit-recipient-ciphertext' }, 'KMS_RECIPIENT_MISSING'],
    [{ kind: 'wrong-key-id' }, 'KMS_WRONG_KEY'],
    [{ kind: 'tamper-recipient-ciphertext', part: 'key' }, 'CMS_DECRYPT_FAILED'],
    [{ kind: 'tamper-recipient-ciphertext', part: 'padding' }, 'CMS_DECRYPT_FAILED'],
  ];
  for (const [fault, code] of faults) {
    kms.faults.next('Decrypt', fault);
    const signal = AbortSignal.timeout(10_000);
    t.equal(await codeOf(client.decrypt({ ciphertext, keyArn, encryptionContext, signal })), code, fault.kind);
  }
});

t.test('lets the client tell every refusal from every other', async (t) => {
  const fixture = await clientFixture(t);
  const { admin, keyArn, ciphertext, clock, nsm, createKey } = fixture;
  const otherKey = await createKey();
  const tampered = Buffer.from(ciphertext);
  tampered[60]! ^= 1;
  const stranger = await nsmFixture(t, { clock, image: 'another image', root: nsm.root });
  const base = { ciphertext, keyArn, encryptionContext };
  const decrypt = (input: Partial<typeof base>, client = attestedKms(t, fixture)) =>
    codeOf(client.decrypt({ ...base, ...input, signal: AbortSignal.timeout(10_000) }));
  t.equal(await decrypt({}, attestedKms(t, fixture, stranger)), 'KMS_ACCESS_DENIED', 'another image');
  t.equal(await decrypt({ encryptionContext: { purpose: 'x' } }), 'KMS_INVALID_CIPHERTEXT', 'another context');
  t.equal(await decrypt({ ciphertext: tampered }), 'KMS_INVALID_CIPHERTEXT', 'tampered ciphertext');
  t.equal(await decrypt({ keyArn: otherKey }), 'KMS_INCORRECT_KEY', 'another key');
  t.equal(await decrypt({ keyArn: keyArn.replace(/.$/, 'x') }), 'KMS_NOT_FOUND', 'no such key');
  await admin.send(new PutKeyPolicyCommand({ KeyId: keyArn, Policy: rolePolicy({}) }));
  t.equal(await decrypt({}, attestedKms(t, fixture, stranger)), 'no error', 'after the policy was changed');
  await admin.send(new DisableKeyCommand({ KeyId: keyArn }));
  t.equal(await decrypt({}), 'KMS_KEY_UNUSABLE', 'disabled key');
});
