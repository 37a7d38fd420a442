/** Every answer of the instance metadata service on the way to credentials, told apart and with what to do. */
import t from 'tap';
import type { ImdsAnswer, ImdsFault, Reading } from '../../wire/imds-answers.ts';
import { readImdsToken, readRoleCredentials, readRoleName } from '../../wire/imds-answers.ts';

const NOW_MS = Date.UTC(2026, 10, 29);
const SECRETS = ['top-secret-access-key', 'top-secret-session-token'];
const GOOD = {
  Code: 'Success',
  LastUpdated: '2026-11-28T23:00:00Z',
  Type: 'AWS-HMAC',
  AccessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  SecretAccessKey: SECRETS[0],
  Token: SECRETS[1],
  Expiration: '2026-11-29T06:00:00Z',
};

function faultOf(reading: Reading<unknown>): ImdsFault {
  if ('fault' in reading) return reading.fault;
  throw new Error('it was accepted');
}

const credentials = (body: unknown, status = 200) =>
  readRoleCredentials('acra', { status, body: typeof body === 'string' ? body : JSON.stringify(body) }, NOW_MS);

t.test('reads token, role and credentials', async (t) => {
  t.same(readImdsToken({ status: 200, body: 'AQAEA==\n' }), { value: 'AQAEA==' });
  t.same(readRoleName({ status: 200, body: 'acra-role\n' }), { value: 'acra-role' });
  t.same(credentials(GOOD), {
    value: {
      accessKeyId: GOOD.AccessKeyId,
      secretAccessKey: GOOD.SecretAccessKey,
      sessionToken: GOOD.Token,
      expiration: new Date(GOOD.Expiration),
    },
  });
});

const TOKENS: readonly [what: string, answer: ImdsAnswer, found: RegExp, action: RegExp][] = [
  ['a service that is switched off', { status: 403, body: '' }, /^HTTP 403$/, /--http-endpoint enabled/],
  ['a request that it does not take', { status: 400, body: '' }, /^HTTP 400$/, /imds\.connect/],
  ['another service', { status: 404, body: '<html>' }, /^HTTP 404$/, /not the instance metadata service/],
  ['a service that fails', { status: 503, body: '' }, /^HTTP 503$/, /passes/],
  ['an empty answer', { status: 200, body: '' }, /empty/, /not the instance metadata service/],
  ['a token that no header carries', { status: 200, body: 'a\r\nb: c' }, /no token/, /not the instance metadata/],
];

for (const [what, answer, found, action] of TOKENS) {
  t.test(`rejects ${what} for a token`, async (t) => {
    t.match(faultOf(readImdsToken(answer)), { found, action });
  });
}

const ROLES: readonly [what: string, answer: ImdsAnswer, found: RegExp, action: RegExp][] = [
  ['an instance without a role', { status: 404, body: '<?xml version="1.0"?>' }, /^HTTP 404$/, /associate-iam/],
  ['a profile without a role', { status: 200, body: '\n' }, /empty/, /associate-iam/],
  ['a token that is refused', { status: 401, body: '' }, /^HTTP 401$/, /--http-tokens/],
  ['a service that is switched off', { status: 403, body: '' }, /^HTTP 403$/, /--http-endpoint enabled/],
  ['a path in the place of a name', { status: 200, body: '../../token' }, /\.\.\/\.\.\/token/, /not the instance/],
  ['a page', { status: 200, body: '<html>\u001b[2J' }, /^<html>\\x1b\[2J$/, /not the instance/],
];

for (const [what, answer, found, action] of ROLES) {
  t.test(`rejects ${what} for the name of the role`, async (t) => {
    t.match(faultOf(readRoleName(answer)), { found, action });
  });
}

const DOCUMENTS: readonly [what: string, body: unknown, status: number, found: RegExp, action: RegExp][] = [
  [
    'a role that EC2 may not assume',
    { Code: 'AssumeRoleUnauthorizedAccess', Message: 'EC2 cannot assume the role acra.  Please see documentation.' },
    200,
    /^AssumeRoleUnauthorizedAccess: EC2 cannot assume the role acra\. Please see documentation\.$/,
    /trust policy/,
  ],
  [
    'a fault of the service, without a message',
    { Code: 'InternalError' },
    200,
    /^InternalError$/,
    /fault of the service/,
  ],
  [
    'a fault of the service',
    { Code: 'InternalError', Message: 'm' },
    500,
    /^InternalError: m$/,
    /fault of the service/,
  ],
  ['too many requests', { Code: 'Throttling' }, 429, /^Throttling$/, /fault of the service/],
  ['a code that nobody knows', { Code: 'Failed' }, 200, /^Failed$/, /trust policy/],
  ['a failure with another status', { Code: 'Failed', Message: 'm' }, 500, /^Failed: m$/, /fault of the service/],
  ['names in lower case', { code: 'AccessDenied', message: 'no' }, 200, /^AccessDenied: no$/, /trust policy/],
  ['a failure that carries fields of success', { ...GOOD, Code: 'Failed' }, 200, /^Failed$/, /trust policy/],
  ['a role that was detached meanwhile', '', 404, /^HTTP 404$/, /trust policy/],
  ['an empty body', '', 200, /empty/, /trust policy/],
  ['blanks', ' \n ', 200, /empty/, /trust policy/],
  ['what is no JSON', '<html>', 200, /no JSON/, /not the instance/],
  ['an array', [], 200, /no JSON object/, /not the instance/],
  ['no code', { ...GOOD, Code: undefined }, 200, /Code/, /not the instance/],
  ['a code that is no text', { ...GOOD, Code: 1 }, 200, /Code/, /not the instance/],
  ['a missing token', { ...GOOD, Token: undefined }, 200, /^missing or malformed: Token/, /not the instance/],
  ['an expiry that is no time', { ...GOOD, Expiration: 'soon' }, 200, /Expiration/, /not the instance/],
  ['expired credentials', { ...GOOD, Expiration: '2026-11-28T23:59:59Z' }, 200, /^2026-11-28T23:59:59/, /clock/],
  ['a token that is refused', '', 401, /^HTTP 401$/, /--http-tokens/],
  ['a service that limits the rate', '', 429, /^HTTP 429$/, /passes/],
];

for (const [what, body, status, found, action] of DOCUMENTS) {
  t.test(`rejects ${what} for credentials, and tells no secret`, async (t) => {
    const fault = faultOf(credentials(body, status));
    t.match(fault, { found, action });
    for (const secret of SECRETS) t.notMatch(JSON.stringify(fault), secret);
  });
}

t.test('bounds what it quotes, and makes it harmless', async (t) => {
  const { found } = faultOf(credentials({ Code: 'C'.repeat(10_000), Message: `\u001b[31m\n${'m'.repeat(10_000)}` }));
  t.ok(found.length < 400);
  t.match(found, /^C+…: \\x1b\[31m m+…$/);
});
