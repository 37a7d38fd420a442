/** What programs are told of a request that goes nowhere. */
import t from 'tap';
import { answerTo, parserError, rawAnswer } from '../../../supervisor/egress/answers.ts';
import { EGRESS_PROXY_ERRORS, EgressProxyError } from '../../../supervisor/egress/errors.ts';
import { EGRESS_ERRORS, EgressError, type EgressErrorCode } from '../../../wire/egress/errors.ts';

t.test('has a status and advice for every code that a program can meet', async (t) => {
  const never = ['EGRESS_RULE', 'EGRESS_BIND'];
  const codes = [...Object.keys(EGRESS_ERRORS), ...Object.keys(EGRESS_PROXY_ERRORS)].filter(
    (code) => !never.includes(code),
  );
  for (const code of codes) {
    const { status, headers, body } = answerTo(new EgressError(code as EgressErrorCode, 'why', { found: 'a:1' }));
    t.ok(status >= 400 && status <= 504, code);
    t.match(headers['Proxy-Status'], new RegExp(`^acra-enclave; error=[a-z_]+; details="${code}"$`));
    t.match(JSON.parse(body), { error: { code, message: 'why', found: 'a:1', action: /./ } });
    t.equal(headers['Content-Length'], String(Buffer.byteLength(body)));
  }
});

t.test('tells slow, long and other requests that no parser takes apart', async (t) => {
  for (const [code, status] of [
    ['ERR_HTTP_REQUEST_TIMEOUT', 408],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
    ['HPE_HEADER_OVERFLOW', 431],
    ['HPE_INVALID_METHOD', 400],
    [undefined, 400],
  ] as const)
    t.equal(answerTo(parserError(code)).status, status, String(code));
});

t.test('writes an answer for a connection that ends with it', async (t) => {
  const text = rawAnswer(answerTo(new EgressProxyError('EGRESS_REQUEST', 'no')));
  t.match(text, /^HTTP\/1\.1 400 Bad Request\r\n(?:[^\r\n]+\r\n)*Connection: close\r\n\r\n\{/);
});
