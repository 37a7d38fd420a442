import { createCipheriv, generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { openEnvelopedData } from '../../../kms/cms/enveloped-data.ts';
import { CmsError } from '../../../kms/errors.ts';
import { hex, open, tlv } from '../../attestation/support/der.ts';
import type { EnvelopeParts } from '../../attestation/support/envelope.ts';
import * as cms from '../../attestation/support/envelope.ts';
import { throwsCode } from '../../support/coded-error.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const plaintext = Buffer.from('0123456789abcdef0123456789abcdef');

function opened(bytes: Buffer): Buffer {
  using secret = openEnvelopedData(bytes, privateKey);
  return secret.use((borrowed) => Buffer.from(borrowed));
}

const kms = cms.kmsParts({ publicKey, plaintext });
const localStack = cms.localStackParts({ publicKey, plaintext });

t.test('opens the form of KMS: BER, version 2, subjectKeyIdentifier', (t) => {
  t.same(opened(cms.berEnvelope(kms)), plaintext, 'content as a primitive [0]');
  for (const pieceBytes of [1, 7, 16, 48, 1000]) {
    t.same(opened(cms.berEnvelope(cms.kmsParts({ publicKey, plaintext, pieceBytes }))), plaintext, `${pieceBytes}`);
  }
  t.end();
});

t.test('opens the form of LocalStack: DER, version 0, issuerAndSerialNumber', (t) => {
  t.same(opened(cms.derEnvelope(localStack)), plaintext);
  t.end();
});

t.test('opens either content in either length form', (t) => {
  t.same(opened(cms.derEnvelope(kms)), plaintext);
  t.same(opened(cms.berEnvelope(localStack)), plaintext);
  t.end();
});

t.test('opens the layout of nitro-formats 3.7 written out byte by byte', (t) => {
  const key = Buffer.alloc(32, 0x21);
  const cipher = createCipheriv('aes-256-cbc', key, hex('688c6d5f7f31b0fecedf09f2e7c99ac9'));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const bytes = Buffer.concat([
    hex('3080 06092a864886f70d010703 a080 3080 020102'),
    hex('3182016b 30820167 020102 8020'),
    Buffer.alloc(32, 0x70),
    hex('303c 06092a864886f70d010107 302f a00f300d06096086480165030402010500'),
    hex('a11c301a06092a864886f70d010108300d06096086480165030402010500 04820100'),
    cms.wrapKey(publicKey, key),
    hex('3080 06092a864886f70d010701 301d 060960864801650304012a 0410688c6d5f7f31b0fecedf09f2e7c99ac9'),
    hex('a080 0430'),
    ciphertext,
    hex('0000 0000 0000 0000 0000'),
  ]);
  t.same(opened(bytes), plaintext);
  t.same(cms.berEnvelope(cms.kmsParts({ publicKey, plaintext, pieceBytes: 48 })).length, bytes.length);
  t.end();
});

t.test('opens secrets of every length that KMS returns', (t) => {
  for (const length of [0, 1, 15, 16, 17, 1024, 4096]) {
    const secret = Buffer.alloc(length, 0x33);
    t.same(opened(cms.berEnvelope(cms.kmsParts({ publicKey, plaintext: secret }))), secret, `${length} bytes`);
  }
  t.end();
});

for (const name of ['oaepWithoutNulls', 'oaepWithEmptyLabel'] as const) {
  t.test(`accepts the same algorithm written as ${name}`, (t) => {
    const parts = cms.kmsParts({ publicKey, plaintext, keyAlgorithm: cms.ALGORITHMS[name] });
    t.same(opened(cms.berEnvelope(parts)), plaintext);
    t.end();
  });
}

t.test('leaves the bytes it was given alone', (t) => {
  const bytes = cms.berEnvelope(kms);
  const before = Buffer.from(bytes);
  opened(bytes);
  t.same(bytes, before);
  t.end();
});

const [recipient = Buffer.alloc(0)] = kms.recipients;
const encryptedKey = recipient.subarray(-256);
const other = (version: number, identifier: Buffer, algorithm: Buffer = cms.ALGORITHMS.oaep, key = encryptedKey) => ({
  recipients: [cms.recipientOf(version, identifier, algorithm, key)],
});
const noIdentifier = tlv(0x80, Buffer.alloc(20));

const SYNTAX: readonly [why: string, changes: Partial<EnvelopeParts>][] = [
  ['version 0 with a subjectKeyIdentifier', { version: 0 }],
  ['version 1', { version: 1 }],
  ['recipient version 0 with a subjectKeyIdentifier', other(0, cms.BY_KEY_IDENTIFIER)],
  ['recipient version 2 with issuerAndSerialNumber', other(2, cms.BY_ISSUER)],
  ['a version 2 around issuerAndSerialNumber', other(0, cms.BY_ISSUER)],
  ['a subjectKeyIdentifier of 20 bytes', other(2, noIdentifier)],
  ['no recipient', { recipients: [] }],
  ['two recipients', { recipients: [recipient, recipient] }],
  ['an encrypted key of 255 bytes', other(2, cms.BY_KEY_IDENTIFIER, cms.ALGORITHMS.oaep, encryptedKey.subarray(1))],
  ['an encrypted key of 512 bytes', other(2, cms.BY_KEY_IDENTIFIER, cms.ALGORITHMS.oaep, Buffer.alloc(512))],
  ['another content type', { contentType: hex('06092a864886f70d010702') }],
  ['an initialisation vector of 12 bytes', { contentAlgorithm: cms.contentAlgorithm(undefined, Buffer.alloc(12)) }],
  ['an initialisation vector of 17 bytes', { contentAlgorithm: cms.contentAlgorithm(undefined, Buffer.alloc(17)) }],
  ['no content', { content: Buffer.alloc(0) }],
  ['empty content', { content: tlv(0x80) }],
  ['content in no pieces', { content: open(0xa0) }],
  ['content that is no whole blocks', { content: tlv(0x80, Buffer.alloc(17)) }],
  ['content of 4128 bytes', { content: tlv(0x80, Buffer.alloc(4128)) }],
  ['content as an OCTET STRING', { content: tlv(0x04, Buffer.alloc(16)) }],
  ['content in pieces of pieces', { content: open(0xa0, open(0x24, tlv(0x04, Buffer.alloc(16)))) }],
  ['attributes behind the content', { content: Buffer.concat([kms.content, tlv(0xa1)]) }],
];

for (const [why, changes] of SYNTAX) {
  t.test(`rejects ${why} (CMS_SYNTAX)`, (t) => {
    for (const encode of [cms.berEnvelope, cms.derEnvelope]) {
      throwsCode(() => openEnvelopedData(encode({ ...kms, ...changes }), privateKey), CmsError, 'CMS_SYNTAX');
    }
    t.end();
  });
}

const whole = cms.berEnvelope(kms);
const RAW: readonly [why: string, bytes: Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['trailing bytes', Buffer.concat([whole, hex('00')])],
  ['a second envelope', Buffer.concat([whole, whole])],
  ['signedData', Buffer.concat([hex('3080 06092a864886f70d010702'), whole.subarray(13)])],
  ['text', Buffer.from('CiphertextForRecipient')],
];

for (const [why, bytes] of RAW) {
  t.test(`rejects ${why} (CMS_SYNTAX)`, (t) => {
    throwsCode(() => openEnvelopedData(bytes, privateKey), CmsError, 'CMS_SYNTAX');
    t.end();
  });
}

t.test('rejects an envelope cut off anywhere (CMS_SYNTAX)', (t) => {
  for (const bytes of [whole, cms.derEnvelope(localStack)]) {
    for (let length = 0; length < bytes.length; length++) {
      throwsCode(() => openEnvelopedData(bytes.subarray(0, length), privateKey), CmsError, 'CMS_SYNTAX');
    }
  }
  t.end();
});

t.test('rejects more than 8192 bytes (CMS_TOO_LARGE)', (t) => {
  throwsCode(() => openEnvelopedData(Buffer.alloc(8193), privateKey), CmsError, 'CMS_TOO_LARGE');
  t.end();
});

for (const name of ['oaepWithLabel', 'oaepSha1', 'oaepMgfSha1', 'oaepDefaults', 'oaepHashOnly', 'pkcs1v15'] as const) {
  t.test(`rejects the key encryption ${name} (CMS_UNSUPPORTED)`, (t) => {
    const bytes = cms.berEnvelope({ ...kms, ...other(2, cms.BY_KEY_IDENTIFIER, cms.ALGORITHMS[name]) });
    throwsCode(() => openEnvelopedData(bytes, privateKey), CmsError, 'CMS_UNSUPPORTED');
    t.end();
  });
}

t.test('rejects RSAES-OAEP without parameters (CMS_SYNTAX)', (t) => {
  const bytes = cms.berEnvelope({
    ...kms,
    ...other(2, cms.BY_KEY_IDENTIFIER, cms.ALGORITHMS.oaepWithoutParameters),
  });
  throwsCode(() => openEnvelopedData(bytes, privateKey), CmsError, 'CMS_SYNTAX');
  t.end();
});

t.test('rejects AES-128-CBC (CMS_UNSUPPORTED)', (t) => {
  const bytes = cms.berEnvelope({ ...kms, contentAlgorithm: cms.AES128 });
  throwsCode(() => openEnvelopedData(bytes, privateKey), CmsError, 'CMS_UNSUPPORTED');
  t.end();
});

const key32 = Buffer.alloc(32, 0x5a);
function sealed(contentKey: Buffer, oaepHash = 'sha256', content = kms.content): Buffer {
  const wrapped = cms.wrapKey(publicKey, contentKey, oaepHash);
  return cms.berEnvelope({ ...kms, ...other(2, cms.BY_KEY_IDENTIFIER, cms.ALGORITHMS.oaep, wrapped), content });
}

const UNOPENABLE: readonly [why: string, bytes: Buffer, key?: typeof privateKey][] = [
  ['an envelope for another key', whole, stranger],
  [
    'an encrypted key that was changed',
    cms.berEnvelope({ ...kms, ...other(2, cms.BY_KEY_IDENTIFIER, undefined, Buffer.alloc(256, 1)) }),
  ],
  ['a key wrapped with SHA-1', sealed(key32, 'sha1')],
  ['a content key of 16 bytes', sealed(key32.subarray(16))],
  ['a content key of 33 bytes', sealed(Buffer.alloc(33, 0x5a))],
  ['another content key', sealed(Buffer.alloc(32, 0x5b))],
  ['bad padding', sealed(key32, 'sha256', tlv(0x80, kms.content.subarray(2, 18)))],
];

t.test('rejects whatever does not open with one and the same error (CMS_DECRYPT_FAILED)', (t) => {
  const errors = UNOPENABLE.map(([why, bytes, key]) => {
    const error = throwsCode(() => openEnvelopedData(bytes, key ?? privateKey), CmsError, 'CMS_DECRYPT_FAILED');
    t.equal(error.cause, undefined, `${why} tells no cause`);
    return error.message;
  });
  t.equal(new Set(errors).size, 1);
  t.end();
});

t.test('any changed byte is refused with CmsError, or yields another secret', (t) => {
  for (let i = 0; i < whole.length; i++) {
    const bytes = Buffer.from(whole);
    bytes.writeUInt8(bytes.readUInt8(i) ^ 0x01, i);
    try {
      openEnvelopedData(bytes, privateKey).dispose();
    } catch (error) {
      if (!(error instanceof CmsError)) throw error;
    }
  }
  t.end();
});
