import t from 'tap';
import { failureToHttp, questionOf, toHttp } from '../../../host-proxy/attestation/http-answers.ts';
import { HostProxyError } from '../../../host-proxy/errors.ts';
import { throwsCode } from '../../support/coded-error.ts';

const asked = (changes: Partial<Parameters<typeof questionOf>[0]> = {}) => ({
  method: 'GET',
  target: `/v1/attestation?nonce=${'0a'.repeat(16)}`,
  hasBody: false,
  ...changes,
});
const withNonce = (nonce: string) => asked({ target: `/v1/attestation?nonce=${nonce}` });

t.test('takes nonces of 16 to 64 bytes in digits of either case', async (t) => {
  for (const digits of ['0a'.repeat(16), 'FF'.repeat(32), '0a'.repeat(64)]) {
    t.same(questionOf(withNonce(digits)), { type: 'attest', nonce: Buffer.from(digits, 'hex').toString('base64') });
  }
  const nonce = Buffer.alloc(16, 10).toString('base64');
  t.same(questionOf(asked({ target: `/v1/attestation?x=1&nonce=${'0a'.repeat(16)}` })), { type: 'attest', nonce });
  const target = `/v1/certificate-request?nonce=${'0a'.repeat(16)}`;
  t.same(questionOf(asked({ target })), { type: 'certificate-request', nonce });
});

const BAD = {
  'no nonce': asked({ target: '/v1/attestation' }),
  'an empty nonce': withNonce(''),
  'a nonce of 15 bytes': withNonce('0a'.repeat(15)),
  'a nonce of 65 bytes': withNonce('0a'.repeat(65)),
  'half a byte': withNonce(`${'0a'.repeat(16)}0`),
  'other digits': withNonce('zz'.repeat(16)),
  base64: withNonce('AAAAAAAAAAAAAAAAAAAAAA=='),
  'two nonces': asked({ target: `/v1/attestation?nonce=${'0a'.repeat(16)}&nonce=${'0b'.repeat(16)}` }),
  'a line feed after it': withNonce(`${'0a'.repeat(16)}%0a`),
  'a body': asked({ hasBody: true }),
};
for (const [what, request] of Object.entries(BAD)) {
  t.test(`rejects ${what} (HOST_ATTESTATION_REQUEST, 400)`, async (t) => {
    const error = throwsCode(() => questionOf(request), HostProxyError, 'HOST_ATTESTATION_REQUEST');
    t.match(failureToHttp(error), { status: 400, body: { error: { code: 'HOST_ATTESTATION_REQUEST' } } });
  });
}

t.test('rejects other paths (HOST_ATTESTATION_PATH, 404)', async (t) => {
  for (const target of [
    '/',
    '/v1/attestation/',
    '/v1/attestationx?nonce=00',
    '/status',
    '//v1/attestation',
    '*',
    'http://[',
    '/v1/../metrics',
  ]) {
    const error = throwsCode(() => questionOf(asked({ target })), HostProxyError, 'HOST_ATTESTATION_PATH');
    t.equal(failureToHttp(error).status, 404, target);
  }
});

t.test('rejects other methods and says which there is (HOST_ATTESTATION_METHOD, 405)', async (t) => {
  for (const method of ['HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const error = throwsCode(() => questionOf(asked({ method })), HostProxyError, 'HOST_ATTESTATION_METHOD');
    t.match(failureToHttp(error), { status: 405, headers: { allow: 'GET' } });
  }
});

t.test('tells what the enclave refuses for a limit from what it cannot do', async (t) => {
  const statusOf = (code: string) => toHttp({ type: 'refusal', code, message: 'm' });
  for (const code of ['REQUEST_RATE_LIMITED', 'REQUEST_QUEUE_FULL']) {
    t.match(statusOf(code), { status: 429, headers: { 'retry-after': '1' }, body: { error: { code, message: 'm' } } });
  }
  for (const code of ['NSM_INTERNAL_ERROR', 'REQUEST_FAILED', 'REQUEST_MALFORMED', 'toString', '__proto__']) {
    t.equal(statusOf(code).status, 503, code);
  }
});

t.test('keeps what has no code to itself', async (t) => {
  const { status, body } = failureToHttp(new Error('/run/acra-enclave/requests.sock: ENOENT'));
  t.equal(status, 503);
  t.notMatch(JSON.stringify(body), 'run');
});
