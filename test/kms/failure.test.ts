import { inspect } from 'node:util';
import t from 'tap';
import { AttestedKms } from '../../kms/client.ts';
import { KmsError } from '../../kms/errors.ts';
import type { Answer } from '../attestation/support/kms-endpoint.ts';
import { CREDENTIALS, countingNsm, KEY_ARN, kmsEndpoint } from '../attestation/support/kms-endpoint.ts';
import { rejectsCode } from '../support/coded-error.ts';

const secret = 'c2VjcmV0LXBsYWludGV4dA==';
type Test = Parameters<typeof kmsEndpoint>[0];

async function failureOf(t: Test, answer: Answer, code: KmsError['code']) {
  const { connection, heard } = await kmsEndpoint(t, () => answer);
  const kms = new AttestedKms(connection, countingNsm());
  t.teardown(() => kms.close());
  const { signal } = new AbortController();
  const request = { ciphertext: Buffer.from('x'), keyArn: KEY_ARN, encryptionContext: { a: 'b' }, signal };
  const error = await rejectsCode(() => kms.decrypt(request), KmsError, code);
  return { error, heard };
}

const SERVICE_ERRORS: readonly [name: string, status: number, code: KmsError['code'], retryable: boolean][] = [
  ['AccessDeniedException', 400, 'KMS_ACCESS_DENIED', false],
  ['InvalidCiphertextException', 400, 'KMS_INVALID_CIPHERTEXT', false],
  ['IncorrectKeyException', 400, 'KMS_INCORRECT_KEY', false],
  ['NotFoundException', 400, 'KMS_NOT_FOUND', false],
  ['DisabledException', 400, 'KMS_KEY_UNUSABLE', false],
  ['KMSInvalidStateException', 400, 'KMS_KEY_UNUSABLE', false],
  ['InvalidKeyUsageException', 400, 'KMS_KEY_UNUSABLE', false],
  ['ThrottlingException', 400, 'KMS_THROTTLED', true],
  ['LimitExceededException', 400, 'KMS_THROTTLED', true],
  ['ExpiredTokenException', 400, 'KMS_CREDENTIALS_EXPIRED', true],
  ['UnrecognizedClientException', 400, 'KMS_CREDENTIALS_EXPIRED', true],
  ['InvalidSignatureException', 400, 'KMS_SIGNATURE_REFUSED', false],
  ['KMSInternalException', 500, 'KMS_UNAVAILABLE', true],
  ['DependencyTimeoutException', 500, 'KMS_UNAVAILABLE', true],
  ['KeyUnavailableException', 500, 'KMS_UNAVAILABLE', true],
  ['SomethingNewException', 500, 'KMS_UNAVAILABLE', true],
  ['SomethingNewException', 429, 'KMS_THROTTLED', true],
  ['ValidationException', 400, 'KMS_REQUEST_INVALID', false],
  ['SomethingNewException', 400, 'KMS_SERVICE_ERROR', false],
];

for (const [name, status, code, retryable] of SERVICE_ERRORS) {
  t.test(`reports ${name} with status ${status} once, ${retryable ? 'retryable' : 'final'} (${code})`, async (t) => {
    const { error, heard } = await failureOf(t, { status, json: { __type: name, message: 'said KMS' } }, code);
    t.equal(error.found, name);
    t.equal(error.retryable, retryable);
    t.match(error.cause, { name, message: 'said KMS' });
    t.equal(heard.length, 1, 'the client does not try again by itself');
  });
}

const UNREADABLE: readonly [why: string, answer: Answer, code: KmsError['code']][] = [
  ['no JSON', { raw: secret }, 'KMS_RESPONSE_INVALID'],
  ['JSON that is cut off', { raw: `{"KeyId":"x","Plaintext":"${secret}` }, 'KMS_RESPONSE_INVALID'],
  ['a page of some proxy', { status: 403, raw: '<html>forbidden</html>' }, 'KMS_RESPONSE_INVALID'],
  ['a page of some proxy that is down', { status: 503, raw: '<html>down</html>' }, 'KMS_UNAVAILABLE'],
  ['a redirect', { status: 301, raw: '' }, 'KMS_SERVICE_ERROR'],
];

for (const [why, answer, code] of UNREADABLE) {
  t.test(`reports an answer with ${why} (${code})`, async (t) => {
    const { error } = await failureOf(t, answer, code);
    t.notMatch(
      inspect(error, { depth: 9, showHidden: true }),
      new RegExp(secret.slice(0, 8)),
      'the error quotes nothing',
    );
  });
}

t.test('rejects an endless answer while it comes (KMS_RESPONSE_TOO_LARGE)', async (t) => {
  const pour: Answer = (response, request) => {
    const chunk = Buffer.alloc(16_384, 0x20);
    const more = () => {
      while (response.write(chunk));
    };
    response.on('drain', more);
    request.socket.on('close', () => response.destroy());
    more();
  };
  await failureOf(t, pour, 'KMS_RESPONSE_TOO_LARGE');
});

t.test('reports a connection that breaks in the answer (KMS_UNAVAILABLE)', async (t) => {
  const breaking: Answer = (response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{', () => response.destroy());
  };
  const { error } = await failureOf(t, breaking, 'KMS_UNAVAILABLE');
  t.ok(error.retryable);
});

t.test('reports a connection that breaks before the answer (KMS_UNAVAILABLE)', async (t) => {
  const { error } = await failureOf(t, (response) => response.destroy(), 'KMS_UNAVAILABLE');
  t.ok(error.retryable);
});

t.test('keeps credentials, the request and the rest of the answer out of its errors', async (t) => {
  const json = { __type: 'AccessDeniedException', message: 'no', more: secret };
  const { error } = await failureOf(t, { status: 400, json }, 'KMS_ACCESS_DENIED');
  const everything = inspect(error, { depth: 12, showHidden: true, maxStringLength: null });
  const { secretAccessKey, sessionToken = 'none' } = CREDENTIALS;
  for (const part of [
    secretAccessKey,
    sessionToken,
    'AttestationDocument',
    'authorization',
    secret,
    'x-amz',
    '$response',
  ]) {
    t.notOk(everything.includes(part), part);
  }
});

t.test("passes KMS's own words on, bounded and harmless", async (t) => {
  const message = `User: arn:aws:sts::1:assumed-role/a/i is not authorized\u001b[2J ${'x'.repeat(5_000)}`;
  const { error } = await failureOf(
    t,
    { status: 400, json: { __type: 'AccessDeniedException', message } },
    'KMS_ACCESS_DENIED',
  );
  const told = String(error.cause instanceof Error && error.cause.message);
  t.match(told, /^User: arn:aws:sts::1:assumed-role\/a\/i is not authorized\\x1b\[2J x+…$/);
  t.ok(told.length <= 512);
  const long = await failureOf(
    t,
    { status: 400, json: { __type: `E${'x'.repeat(5_000)}`, message } },
    'KMS_SERVICE_ERROR',
  );
  t.ok((long.error.found ?? '').length <= 64);
});
