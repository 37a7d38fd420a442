import { createPublicKey } from 'node:crypto';
import t from 'tap';
import { NsmError } from '../../attestation/errors.ts';
import { AttestedKms } from '../../kms/client.ts';
import { CmsError, KmsError } from '../../kms/errors.ts';
import type { SecretBuffer } from '../../runtime/secret-buffer.ts';
import { sealToSpki } from '../attestation/support/envelope.ts';
import type { Answer, HeardRequest } from '../attestation/support/kms-endpoint.ts';
import { countingNsm, KEY_ARN, kmsEndpoint, REGION, recipientOf, spkiIn } from '../attestation/support/kms-endpoint.ts';
import { rejectsCode } from '../support/coded-error.ts';

const signal = new AbortController().signal;
const secret = Buffer.from('0123456789abcdef0123456789abcdef');
const ciphertext = Buffer.from('ciphertext under the key');
const encryptionContext = { purpose: 'master-key', cluster: 'a' };
const decryptRequest = { ciphertext, keyArn: KEY_ARN, encryptionContext, signal };
const dataKeyRequest = { keyArn: KEY_ARN, encryptionContext, signal };

function sealed(request: HeardRequest, plaintext = secret): string {
  return sealToSpki(spkiIn(request), plaintext).toString('base64');
}

function taken(buffer: SecretBuffer): Buffer {
  const copy = buffer.use((bytes) => Buffer.from(bytes));
  buffer.dispose();
  return copy;
}

type Test = Parameters<typeof kmsEndpoint>[0];

async function clientOf(t: Test, answer: (request: HeardRequest) => Answer) {
  const endpoint = await kmsEndpoint(t, answer);
  const nsm = countingNsm();
  const kms = new AttestedKms(endpoint.connection, nsm);
  t.teardown(() => kms.close());
  return { ...endpoint, nsm, kms };
}

t.test('decrypts to a secret that only the client can open', async (t) => {
  const { kms, heard } = await clientOf(t, (request) => ({
    json: { KeyId: KEY_ARN, CiphertextForRecipient: sealed(request), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' },
  }));
  t.same(taken(await kms.decrypt(decryptRequest)), secret);
  const [request] = heard;
  t.equal(request?.headers['x-amz-target'], 'TrentService.Decrypt');
  t.equal(request?.headers.host, 'kms.test');
  t.match(request?.body, {
    CiphertextBlob: ciphertext.toString('base64'),
    KeyId: KEY_ARN,
    EncryptionContext: encryptionContext,
  });
  t.equal(recipientOf(request!).KeyEncryptionAlgorithm, 'RSAES_OAEP_SHA_256');
});

t.test('vouches for an RSA-2048 key with exponent 65537', async (t) => {
  const { kms, heard } = await clientOf(t, (request) => ({ json: { CiphertextForRecipient: sealed(request) } }));
  await kms.generateRandom({ lengthBytes: 32, signal });
  const key = createPublicKey({ key: spkiIn(heard[0]!), format: 'der', type: 'spki' });
  t.match(key.asymmetricKeyDetails, { modulusLength: 2048, publicExponent: 65537n });
});

t.test('attests anew for every request', async (t) => {
  const { kms, heard, nsm } = await clientOf(t, (request) => ({ json: { CiphertextForRecipient: sealed(request) } }));
  for (let i = 0; i < 3; i++) await kms.generateRandom({ lengthBytes: 32, signal });
  t.equal(nsm.attested(), 3);
  t.equal(new Set(heard.map((request) => recipientOf(request).AttestationDocument)).size, 3);
});

t.test('every client has a key pair of its own', async (t) => {
  const answer = (request: HeardRequest) => ({ json: { CiphertextForRecipient: sealed(request) } });
  const [one, two] = await Promise.all([clientOf(t, answer), clientOf(t, answer)]);
  await Promise.all([one, two].map(({ kms }) => kms.generateRandom({ lengthBytes: 32, signal })));
  t.notSame(spkiIn(one.heard[0]!), spkiIn(two.heard[0]!));
});

t.test('generates a data key and its ciphertext', async (t) => {
  const { kms, heard } = await clientOf(t, (request) => ({
    json: { KeyId: KEY_ARN, CiphertextBlob: ciphertext.toString('base64'), CiphertextForRecipient: sealed(request) },
  }));
  const key = await kms.generateDataKey(dataKeyRequest);
  t.same(taken(key.plaintext), secret);
  t.same(key.ciphertext, ciphertext);
  t.equal(heard[0]?.headers['x-amz-target'], 'TrentService.GenerateDataKey');
  t.match(heard[0]?.body, { KeyId: KEY_ARN, KeySpec: 'AES_256', EncryptionContext: encryptionContext });
});

t.test('generates random bytes of 1 to 1024', async (t) => {
  const { kms, heard } = await clientOf(t, (request) => {
    const plaintext = Buffer.alloc(Number(request.body['NumberOfBytes']), 7);
    return { json: { CiphertextForRecipient: sealed(request, plaintext) } };
  });
  for (const lengthBytes of [1, 1024]) {
    t.same(taken(await kms.generateRandom({ lengthBytes, signal })), Buffer.alloc(lengthBytes, 7));
  }
  t.equal(heard[0]?.headers['x-amz-target'], 'TrentService.GenerateRandom');
  for (const lengthBytes of [0, 1025, 1.5]) {
    await rejectsCode(() => kms.generateRandom({ lengthBytes, signal }), KmsError, 'KMS_REQUEST_INVALID');
  }
  t.equal(heard.length, 2);
});

t.test('signs with the credentials of the moment, for the region it was told', async (t) => {
  const { connection, heard } = await kmsEndpoint(t, (request) => ({
    json: { CiphertextForRecipient: sealed(request) },
  }));
  let round = 0;
  const credentials = async () => {
    round += 1;
    return { accessKeyId: `AKIA${round}`, secretAccessKey: 's', sessionToken: `token-${round}` };
  };
  const kms = new AttestedKms({ ...connection, credentials }, countingNsm());
  for (let i = 0; i < 2; i++) await kms.generateRandom({ lengthBytes: 32, signal });
  kms.close();
  t.match(heard[0]?.headers.authorization, new RegExp(`Credential=AKIA1/\\d{8}/${REGION}/kms/aws4_request`));
  t.match(heard[1]?.headers.authorization, new RegExp(`Credential=AKIA2/\\d{8}/${REGION}/kms/aws4_request`));
  t.equal(heard[1]?.headers['x-amz-security-token'], 'token-2');
});

const base64 = secret.toString('base64');
const otherArn = KEY_ARN.replace(/.{4}$/, 'ffff');

const REFUSED_ANSWERS: readonly [why: string, json: (sealed: string) => object, code: KmsError['code']][] = [
  ['the plaintext', () => ({ KeyId: KEY_ARN, Plaintext: base64 }), 'KMS_PLAINTEXT_RETURNED'],
  [
    'the plaintext beside the envelope',
    (s) => ({ KeyId: KEY_ARN, Plaintext: base64, CiphertextForRecipient: s }),
    'KMS_PLAINTEXT_RETURNED',
  ],
  ['no envelope', () => ({ KeyId: KEY_ARN }), 'KMS_RECIPIENT_MISSING'],
  ['an empty envelope', () => ({ KeyId: KEY_ARN, CiphertextForRecipient: '' }), 'KMS_RECIPIENT_MISSING'],
  ['another key', (s) => ({ KeyId: otherArn, CiphertextForRecipient: s }), 'KMS_WRONG_KEY'],
  ['the bare id of the key', (s) => ({ KeyId: KEY_ARN.split('/')[1], CiphertextForRecipient: s }), 'KMS_WRONG_KEY'],
  ['no key', (s) => ({ CiphertextForRecipient: s }), 'KMS_WRONG_KEY'],
];

for (const [why, json, code] of REFUSED_ANSWERS) {
  t.test(`rejects an answer with ${why} (${code})`, async (t) => {
    const { kms } = await clientOf(t, (request) => {
      return { json: { CiphertextBlob: ciphertext.toString('base64'), ...json(sealed(request)) } };
    });
    const error = await rejectsCode(() => kms.decrypt(decryptRequest), KmsError, code);
    t.notOk(error.retryable);
    t.notMatch(JSON.stringify(error), base64);
    await rejectsCode(() => kms.generateDataKey(dataKeyRequest), KmsError, code);
  });
}

t.test('accepts Plaintext when it is null or empty, as KMS may send it', async (t) => {
  for (const plaintext of [null, '']) {
    const { kms } = await clientOf(t, (request) => ({
      json: { KeyId: KEY_ARN, Plaintext: plaintext, CiphertextForRecipient: sealed(request) },
    }));
    t.same(taken(await kms.decrypt(decryptRequest)), secret);
  }
});

t.test('rejects random bytes in clear (KMS_PLAINTEXT_RETURNED)', async (t) => {
  const { kms } = await clientOf(t, () => ({ json: { Plaintext: base64 } }));
  await rejectsCode(() => kms.generateRandom({ lengthBytes: 32, signal }), KmsError, 'KMS_PLAINTEXT_RETURNED');
});

t.test('rejects a secret of another length (KMS_RESPONSE_INVALID)', async (t) => {
  for (const length of [31, 33]) {
    const { kms } = await clientOf(t, (request) => {
      const envelope = sealed(request, Buffer.alloc(length));
      return { json: { KeyId: KEY_ARN, CiphertextBlob: base64, CiphertextForRecipient: envelope } };
    });
    await rejectsCode(() => kms.generateDataKey(dataKeyRequest), KmsError, 'KMS_RESPONSE_INVALID');
    await rejectsCode(() => kms.generateRandom({ lengthBytes: 32, signal }), KmsError, 'KMS_RESPONSE_INVALID');
  }
});

t.test('rejects a data key without its ciphertext (KMS_RESPONSE_INVALID)', async (t) => {
  for (const blob of [undefined, Buffer.alloc(6145).toString('base64')]) {
    const { kms } = await clientOf(t, (request) => {
      return { json: { KeyId: KEY_ARN, CiphertextBlob: blob, CiphertextForRecipient: sealed(request) } };
    });
    await rejectsCode(() => kms.generateDataKey(dataKeyRequest), KmsError, 'KMS_RESPONSE_INVALID');
  }
});

t.test('rejects an envelope that was changed (CMS_SYNTAX, CMS_DECRYPT_FAILED)', async (t) => {
  const edits: [(envelope: Buffer) => Buffer, CmsError['code']][] = [
    [(envelope) => envelope.subarray(1), 'CMS_SYNTAX'],
    [
      (envelope) => Buffer.concat([envelope.subarray(0, 200), Buffer.alloc(1), envelope.subarray(201)]),
      'CMS_DECRYPT_FAILED',
    ],
  ];
  for (const [edit, code] of edits) {
    const { kms } = await clientOf(t, (request) => {
      const envelope = edit(sealToSpki(spkiIn(request), secret)).toString('base64');
      return { json: { KeyId: KEY_ARN, CiphertextForRecipient: envelope } };
    });
    await rejectsCode(() => kms.decrypt(decryptRequest), CmsError, code);
  }
});

const NO_KEY_ARNS = [
  KEY_ARN.replace('key/', 'alias/'),
  KEY_ARN.split('/')[1]!,
  'alias/master',
  `${KEY_ARN} `,
  `${KEY_ARN}\n`,
  KEY_ARN.replace('111122223333', '1111'),
  '',
];

t.test('rejects a key that is not named by its full ARN, without asking (KMS_KEY_ARN_INVALID)', async (t) => {
  const { kms, connections } = await clientOf(t, () => ({ json: {} }));
  for (const keyArn of NO_KEY_ARNS) {
    await rejectsCode(() => kms.decrypt({ ...decryptRequest, keyArn }), KmsError, 'KMS_KEY_ARN_INVALID');
    await rejectsCode(() => kms.generateDataKey({ ...dataKeyRequest, keyArn }), KmsError, 'KMS_KEY_ARN_INVALID');
  }
  t.equal(connections(), 0);
});

t.test('rejects a ciphertext that no KMS would take, without asking (KMS_REQUEST_INVALID)', async (t) => {
  const { kms, connections } = await clientOf(t, () => ({ json: {} }));
  for (const length of [0, 6145]) {
    const request = { ...decryptRequest, ciphertext: Buffer.alloc(length) };
    await rejectsCode(() => kms.decrypt(request), KmsError, 'KMS_REQUEST_INVALID');
  }
  t.equal(connections(), 0);
});

t.test('asks nothing when the security module refuses (NSM_INTERNAL_ERROR)', async (t) => {
  const { connection, connections } = await kmsEndpoint(t, () => ({ json: {} }));
  const attest = () => Promise.reject(new NsmError('NSM_INTERNAL_ERROR', 'the module failed'));
  const kms = new AttestedKms(connection, { ...countingNsm(), attest });
  await rejectsCode(() => kms.decrypt(decryptRequest), NsmError, 'NSM_INTERNAL_ERROR');
  t.equal(connections(), 0);
});

t.test('asks nothing when there are no credentials (KMS_CREDENTIALS_UNAVAILABLE)', async (t) => {
  const { connection, connections } = await kmsEndpoint(t, () => ({ json: {} }));
  const credentials = () => Promise.reject(new Error('no role'));
  const kms = new AttestedKms({ ...connection, credentials }, countingNsm());
  const error = await rejectsCode(() => kms.decrypt(decryptRequest), KmsError, 'KMS_CREDENTIALS_UNAVAILABLE');
  t.ok(error.retryable);
  t.equal(connections(), 0);
});
