/** Whatever programs send, KMS gets requests that a rule allows, signed by the enclave and in one form, or none. */
import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { ATTESTED_ACTIONS, FORWARDED_ACTIONS } from '../../../config/app/kms-proxy.ts';
import type { HeardRequest } from '../../attestation/support/kms-endpoint.ts';
import { CREDENTIALS, countingNsm, kmsEndpoint, REGION } from '../../attestation/support/kms-endpoint.ts';
import { ask, startProxy } from './support/proxy-fixture.ts';

const [ONE, TWO] = ['one', 'two'].map((id) => `arn:aws:kms:${REGION}:111122223333:key/${id}`);
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  Decrypt: [ONE!],
  Encrypt: [ONE!, TWO!],
  ReEncrypt: [ONE!, TWO!],
  Sign: [TWO!],
  GenerateDataKey: [TWO!],
};
const RUNS = 400;

const actions = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...Object.keys(ALLOWED)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(...ATTESTED_ACTIONS, ...FORWARDED_ACTIONS, 'CreateGrant', 'PutKeyPolicy', 'ListKeys'),
  },
  fc.string({ maxLength: 12 }),
);
const keys = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(ONE, TWO, 'one', 'two') },
  fc.constantFrom(
    '',
    'alias/one',
    ONE?.toUpperCase(),
    ` ${ONE}`,
    `${TWO}\0`,
    ONE?.replace('111122223333', '444455556666'),
    null,
    1,
    {},
    [ONE],
  ),
  fc.string({ maxLength: 12 }),
);
const keyMembers = fc.constantFrom(
  'KeyId',
  'SourceKeyId',
  'DestinationKeyId',
  'keyId',
  'Recipient',
  'CustomKeyStoreId',
);
const members = fc.constantFrom(
  'Plaintext',
  'CiphertextBlob',
  'Message',
  'GrantTokens',
  'DryRun',
  'EncryptionContext',
  '__proto__',
  'NumberOfBytes',
);
const values = fc.oneof(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(1e300, 5, true));
const pairs = fc.array(fc.oneof(fc.tuple(keyMembers, keys), fc.tuple(members, values)), { maxLength: 5 });
/** By hand, so that a member can be there twice. */
const bodies = fc.oneof(
  {
    weight: 8,
    arbitrary: pairs.map(
      (all) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`,
    ),
  },
  fc.json(),
  fc.string({ maxLength: 40 }),
);
const headers = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  fc.constantFrom<Readonly<Record<string, string>>>(
    {
      authorization:
        'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0',
    },
    { 'content-encoding': 'gzip' },
    { 'content-type': 'application/json' },
    { 'x-amz-target': 'TrentService.Decrypt, TrentService.Sign' },
  ),
);

/** What is nearly, or wholly, allowed. */
const near = fc
  .tuple(fc.constantFrom(...Object.keys(ALLOWED)), keys, keys, fc.array(fc.tuple(members, values), { maxLength: 1 }))
  .map(([action, one, two, more]) => {
    const named = action === 'ReEncrypt' ? { SourceKeyId: one, DestinationKeyId: two } : { KeyId: one };
    return [action, JSON.stringify({ ...named, ...Object.fromEntries(more) })] as const;
  });
const requests = fc.oneof(near, fc.tuple(actions, bodies));

/** Signature Version 4, by its own specification. */
function isSigned({ headers: given, raw }: HeardRequest & { readonly raw: string }): boolean {
  const text = String(given.authorization);
  const [, date = '', signed = '', signature] =
    /Credential=AKIATEST\/(\d{8})\/[^/]+\/kms\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      text,
    ) ?? [];
  const canonical = signed.split(';').map((name) => `${name}:${String(given[name]).trim()}\n`);
  const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
  const request = ['POST', '/', '', canonical.join(''), signed, sha256(raw)].join('\n');
  const scope = [date, REGION, 'kms', 'aws4_request'];
  const key = scope.reduce<Buffer | string>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${CREDENTIALS.secretAccessKey}`,
  );
  const toSign = ['AWS4-HMAC-SHA256', given['x-amz-date'], scope.join('/'), sha256(request)].join('\n');
  const names = ['content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'];
  return (
    names.every((name) => signed.split(';').includes(name)) &&
    createHmac('sha256', key).update(toSign).digest('hex') === signature
  );
}

function isAllowed({ headers: given, body }: HeardRequest): boolean {
  const action = String(given['x-amz-target']).replace('TrentService.', '');
  const named = ['KeyId', 'SourceKeyId', 'DestinationKeyId'].flatMap((member) =>
    member in body ? [body[member]] : [],
  );
  const attests = (ATTESTED_ACTIONS as readonly string[]).includes(action);
  return (
    named.length === (action === 'ReEncrypt' ? 2 : 1) &&
    named.every((key) => ALLOWED[action]?.includes(String(key))) &&
    'Recipient' in body === attests &&
    (!attests ||
      Buffer.from((body['Recipient'] as { AttestationDocument: string }).AttestationDocument, 'base64').length > 256)
  );
}

t.test('gives KMS nothing that no rule allows, and nothing unsigned', async (t) => {
  const endpoint = await kmsEndpoint(t, () => ({ status: 400, json: { __type: 'ValidationException' } }));
  const { url } = await startProxy(t, {
    section: {
      regions: [{ region: REGION, endpoint: 'https://kms.test', ca: 'ca' }],
      allow: [ONE, TWO].map((key) => ({
        key,
        actions: Object.keys(ALLOWED).filter((action) => ALLOWED[action]?.includes(key!)),
      })),
    },
    caPem: endpoint.connection.caPem!,
    target: endpoint.connection.dial,
    nsm: countingNsm(),
    credentials: endpoint.connection.credentials,
  });
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(requests, headers, async ([action, body], extra) => {
      const target = /^[\x21-\x7e]*$/.test(action) ? action : 'x';
      const answer = await ask(url, { action: target, body, region: REGION, headers: extra });
      if (answer.status < 400 || typeof answer.json['__type'] !== 'string') throw new Error(`answer ${answer.status}`);
      for (const request of endpoint.heard.slice(seen)) {
        if (!isAllowed(request)) throw new Error(`went on: ${JSON.stringify(request)}`);
        if (!isSigned({ ...request, raw: JSON.stringify(request.body) }))
          throw new Error('not signed, or not in one form');
      }
      seen = endpoint.heard.length;
    }),
    { seed: 20_261_130, numRuns: RUNS },
  );
  t.ok(seen > RUNS / 10, `${seen} of ${RUNS} went on`);
});
