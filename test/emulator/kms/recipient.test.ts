import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, GenerateRandomCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { encodeEnvelope } from '../../../emulator/kms/recipient-envelope.ts';
import { openEnvelopedData } from '../../../kms/cms/enveloped-data.ts';
import { toPcrIndex } from '../../../wire/brands.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import type { KmsFixture } from '../support/kms-fixture.ts';
import { kmsFixture, recipientKey, rolePolicy, serviceError } from '../support/kms-fixture.ts';
import { nsmFixture } from '../support/nsm-fixture.ts';

const EncryptionContext = { purpose: 'master-key' };
const RSA_OAEP = 'RSAES_OAEP_SHA_256';

function hex(fixture: KmsFixture, index: number): string {
  return fixture.nsm.pcrs.get(toPcrIndex(index))!.toString('hex');
}

function pcrPolicy(fixture: KmsFixture): string {
  const condition = {
    'kms:RecipientAttestation:ImageSha384': hex(fixture, 0),
    'kms:RecipientAttestation:PCR1': hex(fixture, 1),
  };
  return rolePolicy({ StringEqualsIgnoreCase: condition });
}

function open(answer: { CiphertextForRecipient?: Uint8Array | undefined }): Buffer {
  const secret = openEnvelopedData(Buffer.from(answer.CiphertextForRecipient!), recipientKey.privateKey);
  return secret.use((bytes) => Buffer.from(bytes));
}

async function sealed(fixture: KmsFixture, KeyId: string, Plaintext = Buffer.alloc(32, 9)) {
  const { CiphertextBlob } = await fixture.admin.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }));
  return { CiphertextBlob, EncryptionContext, KeyId };
}

t.test('writes CiphertextForRecipient in the BER form of AWS, byte for byte', (t) => {
  const parts = {
    keyIdentifier: Buffer.alloc(32, 0x11),
    encryptedKey: Buffer.alloc(256, 0x22),
    iv: Buffer.alloc(16, 0x33),
    encryptedContent: Buffer.alloc(48, 0x44),
  };
  const expected = [
    '3080 06092a864886f70d010703 a080 3080 020102',
    '3182016b 30820167 020102 8020',
    '11'.repeat(32),
    '303c 06092a864886f70d010107 302f a00f 300d 06096086480165030402010500',
    'a11c 301a 06092a864886f70d010108 300d 06096086480165030402010500',
    '04820100',
    '22'.repeat(256),
    '3080 06092a864886f70d010701 301d 060960864801650304012a 0410',
    '33'.repeat(16),
    'a080 0430',
    '44'.repeat(48),
    '0000 0000 0000 0000 0000',
  ];
  t.equal(encodeEnvelope(parts).toString('hex'), expected.join('').replaceAll(' ', ''));
  t.end();
});

t.test('answers an attested recipient with a sealed secret and without plaintext', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, recipient, createKey } = fixture;
  const KeyId = await createKey(pcrPolicy(fixture));
  for (const length of [1, 15, 16, 32, 4096]) {
    const Plaintext = Buffer.alloc(length, 9);
    const input = await sealed(fixture, KeyId, Plaintext);
    const answer = await role.send(new DecryptCommand({ ...input, Recipient: await recipient() }));
    t.equal(answer.Plaintext, undefined);
    t.equal(answer.KeyId, KeyId);
    t.same(open(answer), Plaintext, `${length} bytes`);
  }
});

t.test('GenerateDataKey and GenerateRandom answer the recipient alike', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, recipient, createKey } = fixture;
  const KeyId = await createKey(pcrPolicy(fixture));
  const Recipient = await recipient();
  const made = await role.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext, Recipient }));
  t.equal(made.Plaintext, undefined);
  const { CiphertextBlob } = made;
  const again = await role.send(new DecryptCommand({ CiphertextBlob, EncryptionContext, Recipient }));
  t.same(open(again), open(made));
  const random = await role.send(new GenerateRandomCommand({ NumberOfBytes: 512, Recipient }));
  t.equal(random.Plaintext, undefined);
  t.equal(open(random).length, 512);
});

t.test('rejects whom the policy does not mean (AccessDeniedException)', async (t) => {
  const fixture = await kmsFixture(t);
  const { admin, role, recipient, createKey, clock, nsm } = fixture;
  const input = await sealed(fixture, await createKey(pcrPolicy(fixture)));
  const other = await nsmFixture(t, { clock, image: 'another image', root: nsm.root });
  const twin = await nsmFixture(t, { clock, image: 'image', root: nsm.root });
  const attempts = {
    'no recipient': await serviceError(role.send(new DecryptCommand(input))),
    'other measurements': await serviceError(
      role.send(new DecryptCommand({ ...input, Recipient: await recipient(other.attest) })),
    ),
    'the administrator, attested': await serviceError(
      admin.send(new DecryptCommand({ ...input, Recipient: await recipient() })),
    ),
  };
  for (const [name, error] of Object.entries(attempts)) t.equal(error, 'AccessDeniedException', name);
  const same = role.send(new DecryptCommand({ ...input, Recipient: await recipient(twin.attest) }));
  t.equal(await serviceError(same), 'no error', 'another enclave with the same measurements');
});

t.test('a condition on a PCR from 16 on holds only when the PCR is locked', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, recipient, createKey, nsm } = fixture;
  const value = await nsm.provider.extendPcr(toPcrIndex(16), Buffer.from('configuration'));
  const conditions = {
    StringEqualsIgnoreCase: { 'kms:RecipientAttestation:PCR16': value.toString('hex').toUpperCase() },
  };
  const input = await sealed(fixture, await createKey(rolePolicy(conditions)));
  const decrypt = async () => serviceError(role.send(new DecryptCommand({ ...input, Recipient: await recipient() })));
  t.equal(await decrypt(), 'AccessDeniedException');
  await nsm.provider.lockPcr(toPcrIndex(16));
  t.equal(await decrypt(), 'no error');
});

t.test('a condition on the encryption context keeps other contexts out', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, admin, recipient, createKey } = fixture;
  const KeyId = await createKey(rolePolicy({ StringEquals: { 'kms:EncryptionContext:Purpose': 'master-key' } }));
  const input = await sealed(fixture, KeyId);
  const Recipient = await recipient();
  t.equal(await serviceError(role.send(new DecryptCommand({ ...input, Recipient }))), 'no error');
  const foreign = { EncryptionContext: { purpose: 'else' }, KeyId, Plaintext: Buffer.from('x') };
  const { CiphertextBlob } = await admin.send(new EncryptCommand(foreign));
  const request = new DecryptCommand({
    CiphertextBlob,
    KeyId,
    EncryptionContext: foreign.EncryptionContext,
    Recipient,
  });
  t.equal(await serviceError(role.send(request)), 'AccessDeniedException');
});

t.test('rejects documents that it cannot trust or use (ValidationException)', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, recipient, createKey, clock, nsm } = fixture;
  const input = await sealed(fixture, await createKey(rolePolicy({})));
  const stranger = await nsmFixture(t, { clock });
  const good = await recipient();
  const tampered = Buffer.from(good.AttestationDocument);
  tampered[tampered.length - 1]! ^= 1;
  const documents: Record<string, Uint8Array> = {
    'of another root': await stranger.provider.attest({}),
    'tampered signature': tampered,
    'cut short': tampered.subarray(0, 100),
    'no document': Buffer.from('no document'),
    'without a public key': await nsm.provider.attest({}),
    'with a public key that is none': await nsm.provider.attest({ publicKey: Buffer.from('no key') }),
  };
  for (const [name, AttestationDocument] of Object.entries(documents)) {
    const Recipient = { AttestationDocument, KeyEncryptionAlgorithm: RSA_OAEP } as const;
    t.equal(await serviceError(role.send(new DecryptCommand({ ...input, Recipient }))), 'ValidationException', name);
  }
  const { AttestationDocument } = good;
  const noAlgorithm = new DecryptCommand({ ...input, Recipient: { AttestationDocument } });
  t.equal(await serviceError(role.send(noAlgorithm)), 'ValidationException', 'no algorithm');
});

t.test('rejects documents older than five minutes, or from the future (ValidationException)', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, recipient, createKey, clock } = fixture;
  const input = await sealed(fixture, await createKey(rolePolicy({})));
  const nsmClock = new FakeClock(clock.nowMs() - 301_000);
  const { attest } = await nsmFixture(t, { clock: nsmClock, root: fixture.nsm.root });
  const request = async () =>
    serviceError(role.send(new DecryptCommand({ ...input, Recipient: await recipient(attest) })));
  t.equal(await request(), 'ValidationException', '301 seconds old');
  nsmClock.advance(2_000);
  t.equal(await request(), 'no error', '299 seconds old');
  nsmClock.advance(299_000 + 59_000);
  t.equal(await request(), 'no error', '59 seconds ahead');
  nsmClock.advance(2_000);
  t.equal(await request(), 'ValidationException', '61 seconds ahead');
});

t.test('the audit trail shows the recipient that was refused', async (t) => {
  const fixture = await kmsFixture(t);
  const { role, recipient, createKey, kms, clock, nsm, folder } = fixture;
  const input = await sealed(fixture, await createKey(pcrPolicy(fixture)));
  const other = await nsmFixture(t, { clock, image: 'another image', root: nsm.root });
  await serviceError(role.send(new DecryptCommand({ ...input, Recipient: await recipient(other.attest) })));
  const answer = await role.send(new DecryptCommand({ ...input, Recipient: await recipient() }));
  const [refused, granted] = kms.audit().slice(-2);
  t.match(refused, {
    errorCode: 'AccessDeniedException',
    recipientPcr0: other.pcrs.get(toPcrIndex(0))!.toString('hex'),
  });
  t.match(granted, { outcome: 'success', recipientPcr0: hex(fixture, 0) });
  const text = readFileSync(join(folder, 'audit.jsonl'), 'utf8');
  t.notOk(text.includes(open(answer).toString('hex')) || text.includes(open(answer).toString('base64')));
});
