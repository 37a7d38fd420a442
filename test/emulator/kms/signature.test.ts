import type { KMSClient } from '@aws-sdk/client-kms';
import { GenerateRandomCommand } from '@aws-sdk/client-kms';
import t from 'tap';
import { rolePrincipal } from '../../../emulator/principal.ts';
import { kmsFixture, ROLE, sdkClient, serviceError } from '../support/kms-fixture.ts';

interface SignedHttpRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: Uint8Array;
}

const MINUTE_MS = 60_000;
const random = () => new GenerateRandomCommand({ NumberOfBytes: 16 });

type Handler = (args: { request: SignedHttpRequest }) => unknown;
/** The part of the SDK's middleware stack that is used here; its own types would name every command. */
interface MiddlewareStack {
  addRelativeTo(middleware: (next: Handler) => Handler, place: { relation: 'after'; toMiddleware: string }): void;
}

/** Changes the request on its way, after the SDK has signed it. */
function tampering(client: KMSClient, tamper: (request: SignedHttpRequest) => void): KMSClient {
  const stack = client.middlewareStack as unknown as MiddlewareStack;
  const middleware = (next: Handler) => (args: Parameters<Handler>[0]) => {
    tamper(args.request);
    return next(args);
  };
  stack.addRelativeTo(middleware, { relation: 'after', toMiddleware: 'httpSigningMiddleware' });
  return client;
}

t.test('accepts what the SDK signs, for users and for role sessions', async (t) => {
  const { admin, role, kms } = await kmsFixture(t);
  t.equal(await serviceError(admin.send(random())), 'no error');
  t.equal(await serviceError(role.send(random())), 'no error');
  t.match(kms.audit(), [{ principal: /:user\/administrator$/ }, { principal: /:assumed-role\/enclave\/i-0$/ }]);
});

const replaceIn = (name: string, from: RegExp, to: string) => (request: SignedHttpRequest) => {
  const before = request.headers[name] ?? '';
  request.headers[name] = before.replace(from, to);
  if (request.headers[name] === before) throw new Error(`nothing to replace in ${name}: ${before}`);
};

const TAMPERINGS: readonly { name: string; tamper: (request: SignedHttpRequest) => void; error: string }[] = [
  {
    name: 'body',
    tamper: (request) => {
      request.body = Buffer.from(new TextDecoder().decode(request.body).replace('16', '17'));
    },
    error: 'InvalidSignatureException',
  },
  {
    name: 'operation',
    tamper: replaceIn('x-amz-target', /GenerateRandom/, 'CreateKey'),
    error: 'InvalidSignatureException',
  },
  {
    name: 'an added x-amz header that is not signed',
    tamper: (request) => {
      request.headers['x-amz-more'] = '1';
    },
    error: 'InvalidSignatureException',
  },
  {
    name: 'date',
    tamper: (request) => {
      const date = request.headers['x-amz-date'] ?? '';
      request.headers['x-amz-date'] = date.replace(/(\d)Z$/, (_, digit) => `${(Number(digit) + 1) % 10}Z`);
    },
    error: 'InvalidSignatureException',
  },
  {
    name: 'signature',
    tamper: replaceIn('authorization', /[0-9a-f]{64}$/, 'a'.repeat(64)),
    error: 'InvalidSignatureException',
  },
  {
    name: 'list of signed headers',
    tamper: replaceIn('authorization', /host;/, ''),
    error: 'InvalidSignatureException',
  },
  {
    name: 'region of the scope',
    tamper: replaceIn('authorization', /\/eu-central-1\//, '/eu-west-1/'),
    error: 'InvalidSignatureException',
  },
  {
    name: 'service of the scope',
    tamper: replaceIn('authorization', /\/kms\//, '/iam/'),
    error: 'InvalidSignatureException',
  },
  // No key has a 0: their letters are those of base32.
  { name: 'access key', tamper: replaceIn('authorization', /=ASIA./, '=ASIA0'), error: 'UnrecognizedClientException' },
  {
    name: 'session token',
    tamper: replaceIn('x-amz-security-token', /^..../, 'XXXX'),
    error: 'UnrecognizedClientException',
  },
  {
    name: 'no session token',
    tamper: (request) => {
      delete request.headers['x-amz-security-token'];
    },
    error: 'UnrecognizedClientException',
  },
  {
    name: 'no authorization',
    tamper: (request) => {
      delete request.headers['authorization'];
    },
    error: 'MissingAuthenticationTokenException',
  },
  {
    name: 'another algorithm',
    tamper: replaceIn('authorization', /HMAC-SHA256/, 'HMAC-SHA1'),
    error: 'IncompleteSignature',
  },
  { name: 'a malformed date', tamper: replaceIn('x-amz-date', /T/, ' '), error: 'IncompleteSignature' },
];

t.test('rejects a request that was changed after signing', async (t) => {
  const { kms, roleCredential } = await kmsFixture(t);
  for (const { name, tamper, error } of TAMPERINGS) {
    const client = tampering(sdkClient(t, kms, roleCredential), tamper);
    t.equal(await serviceError(client.send(random())), error, name);
  }
  t.ok(kms.audit().every(({ outcome, principal }) => outcome === 'error' && principal === undefined));
});

t.test('rejects a wrong secret access key (InvalidSignatureException)', async (t) => {
  const { kms, roleCredential } = await kmsFixture(t);
  const client = sdkClient(t, kms, { ...roleCredential, secretAccessKey: 'x'.repeat(40) });
  t.equal(await serviceError(client.send(random())), 'InvalidSignatureException');
});

t.test('accepts five minutes of clock skew and rejects more, both ways (InvalidSignatureException)', async (t) => {
  const { kms, admin } = await kmsFixture(t);
  const disableClockSkewCorrection = false;
  for (const [offsetMs, expected] of [
    [-4 * MINUTE_MS, 'no error'],
    [4 * MINUTE_MS, 'no error'],
    [-6 * MINUTE_MS, 'InvalidSignatureException'],
    [6 * MINUTE_MS, 'InvalidSignatureException'],
  ] as const) {
    const client = sdkClient(t, kms, kms.adminCredentials, { systemClockOffset: offsetMs, disableClockSkewCorrection });
    t.equal(await serviceError(client.send(random())), expected, `${offsetMs / MINUTE_MS} min`);
  }
  t.equal(await serviceError(admin.send(random())), 'no error');
});

t.test('rejects expired session tokens (ExpiredTokenException)', async (t) => {
  const { kms, credentials, clock } = await kmsFixture(t);
  const credential = await credentials.issueTemporary(rolePrincipal(ROLE, 'i-1'), MINUTE_MS);
  const client = sdkClient(t, kms, credential);
  clock.advance(MINUTE_MS - 1000);
  t.equal(await serviceError(client.send(random())), 'no error');
  clock.advance(1000);
  t.equal(await serviceError(client.send(random())), 'ExpiredTokenException');
});
