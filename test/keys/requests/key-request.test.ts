/** Requests about keys: one form, and as many of the operators as the measured configuration demands, each counted once. */
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { encodeEnvelope } from '../../../attestation/published/envelope.ts';
import { readSigningKey, type SigningKey } from '../../../attestation/published/keys.ts';
import { canonicalJson } from '../../../encoding/canonical-json.ts';
import { KeyError } from '../../../keys/errors.ts';
import {
  type KeyAction,
  type KeyRequest,
  readKeyRequest,
  requireApprovals,
  toKeyRequestEnvelope,
} from '../../../keys/requests/key-request.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { subsets } from '../keepers/support/secrets.ts';
import {
  ANNA,
  BORIS,
  CLIENT,
  operatorNamed,
  requestFor,
  signedRequest,
  type VectorOperator,
} from '../vectors/parts.ts';

const SEED = 20_261_130;
const SECRET = { user: 'app', encapsulated: Buffer.alloc(32, 1).toString('base64'), ciphertext: 'AAAA' };
const clients = [CLIENT];

const ACTIONS: readonly KeyAction[] = [
  { kind: 'ceremony', clients, secrets: [SECRET] },
  { kind: 'ceremony', clients, secrets: [] },
  { kind: 'add-clients', clients },
  { kind: 'rotate-master' },
  { kind: 'rotate-kms' },
  { kind: 'rotate-data', clients },
  { kind: 'forget-data', clients },
  { kind: 'rotate-database', user: 'app' },
  { kind: 'settle-database', user: 'app' },
  { kind: 'seal', secrets: [SECRET] },
  { kind: 'seal', secrets: [SECRET, { ...SECRET, ciphertext: 'AAAB' }] },
  { kind: 'rotate-tls' },
];

const fileOf = (content: object) =>
  Buffer.from(
    encodeEnvelope({
      ...toKeyRequestEnvelope(content as KeyRequest),
      signatures: [{ keyId: '', bytes: Buffer.alloc(64) }],
    }),
  );
const refuses = (content: object) => throwsCode(() => readKeyRequest(fileOf(content)), KeyError, 'KEY_REQUEST_INVALID');

for (const action of ACTIONS) {
  t.test(`keeps a request to ${action.kind} as operators signed it`, async (t) => {
    const request = requestFor(action);
    const read = readKeyRequest(signedRequest(request, [ANNA]));
    t.same(read.content, request);
    t.equal(read.payload.toString(), canonicalJson(request));
  });
}

const REFUSED: Readonly<Record<string, (request: KeyRequest) => object>> = {
  'another version': (request) => ({ ...request, version: 2 }),
  'an unknown member': (request) => ({ ...request, more: 1 }),
  'no nonce': ({ nonce: _, ...request }) => request,
  'a nonce of 31 bytes': (request) => ({ ...request, nonce: 'ab'.repeat(31) }),
  'capital digits': (request) => ({ ...request, nonce: 'AB'.repeat(32) }),
  'a commitment of 32 bytes': (request) => ({ ...request, commitment: 'ab'.repeat(32) }),
  'a set before it that is no hash': (request) => ({ ...request, from: 'newest' }),
  'an action that is not known': (request) => ({ ...request, action: { kind: 'reveal-master' } }),
  'an action with members of another': (request) => ({ ...request, action: { kind: 'rotate-master', clients } }),
  'no client': (request) => ({ ...request, action: { kind: 'add-clients', clients: [] } }),
  'a client twice': (request) => ({ ...request, action: { kind: 'add-clients', clients: [CLIENT, CLIENT] } }),
  'what is no client id': (request) => ({ ...request, action: { kind: 'add-clients', clients: ['../x'] } }),
  'too many clients': (request) => ({
    ...request,
    action: { kind: 'add-clients', clients: Array.from({ length: 1_001 }, (_, n) => `client${n}`) },
  }),
  'a secret without a user': (request) => ({
    ...request,
    action: { kind: 'seal', secrets: [{ ...SECRET, user: '' }] },
  }),
  'no secret to seal': (request) => ({ ...request, action: { kind: 'seal', secrets: [] } }),
  'a secret that is too long': (request) => ({
    ...request,
    action: { kind: 'seal', secrets: [{ ...SECRET, ciphertext: Buffer.alloc(2_100).toString('base64') }] },
  }),
};

for (const [what, change] of Object.entries(REFUSED)) {
  t.test(`rejects ${what} (KEY_REQUEST_INVALID)`, async (t) => {
    const error = refuses(change(requestFor({ kind: 'rotate-master' })));
    t.ok(error.found ?? error.cause);
  });
}

t.test('rejects a text that is not Unicode, which has no one form (KEY_REQUEST_INVALID)', async () => {
  const request = requestFor({ kind: 'rotate-master' });
  const payload = Buffer.from(canonicalJson(request).replace('"patients"', '"\\ud800"')).toString('base64');
  const envelope = { ...JSON.parse(signedRequest(request, [ANNA]).toString()), payload };
  throwsCode(() => readKeyRequest(Buffer.from(JSON.stringify(envelope))), KeyError, 'KEY_REQUEST_INVALID');
});

const CLARA = operatorNamed('clara');
const OPERATORS = [ANNA, BORIS, CLARA];
const verifying = OPERATORS.map(({ key }) => key);

function approvedBy(file: Buffer, approvals: number): readonly string[] {
  return requireApprovals(readKeyRequest(file), verifying, approvals);
}
const unapproved = (file: Buffer, approvals: number) =>
  throwsCode(() => approvedBy(file, approvals), KeyError, 'KEY_REQUEST_UNAPPROVED');

const REQUEST = requestFor({ kind: 'rotate-master' });
const signedOnlyBy = (operators: readonly VectorOperator[]) => signedRequest(REQUEST, operators);

t.test('takes any k of n operators, and no k - 1 of them (KEY_REQUEST_UNAPPROVED)', async (t) => {
  for (const k of [1, 2, 3]) {
    for (const some of subsets(OPERATORS, k)) {
      t.same(approvedBy(signedOnlyBy(some), k), some.map(({ name }) => name).toSorted(), `${k}`);
    }
    for (const some of subsets(OPERATORS, k - 1)) {
      const file = some.length === 0 ? signedOnlyBy([operatorNamed('stranger')]) : signedOnlyBy(some);
      unapproved(file, k);
    }
  }
});

t.test(
  'counts an operator once, however often he signs, and strangers not at all (KEY_REQUEST_UNAPPROVED)',
  async () => {
    const { signatures, ...rest } = JSON.parse(signedOnlyBy([ANNA]).toString());
    const signedWith = (more: readonly object[]) => Buffer.from(JSON.stringify({ ...rest, signatures: more }));
    const [annas] = signatures;
    unapproved(signedWith(Array(32).fill(annas)), 2);
    unapproved(signedWith([annas, { ...annas, keyid: BORIS.key.keyId }, { ...annas, keyid: '' }]), 2);
    const strangers = Array.from({ length: 30 }, (_, nth) => operatorNamed(`stranger ${nth}`));
    unapproved(signedOnlyBy([ANNA, ...strangers]), 2);
  },
);

/** ECDSA has another signature each time. */
function ecdsaOperator(name: string): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return readSigningKey(name, Buffer.from(privateKey.export({ format: 'pem', type: 'pkcs8' })));
}

t.test('counts an operator once whose signatures all differ (KEY_REQUEST_UNAPPROVED)', async (t) => {
  const dora = ecdsaOperator('dora');
  const sign = () => JSON.parse(signedRequest(REQUEST, [{ name: 'dora', key: dora, publicPem: '' }]).toString());
  const [one, other] = [sign(), sign()];
  t.not(one.signatures[0].sig, other.signatures[0].sig);
  const both = Buffer.from(JSON.stringify({ ...one, signatures: [...one.signatures, ...other.signatures] }));
  const request = readKeyRequest(both);
  t.same(requireApprovals(request, [dora, ANNA.key], 1), ['dora']);
  throwsCode(() => requireApprovals(request, [dora, ANNA.key], 2), KeyError, 'KEY_REQUEST_UNAPPROVED');
});

t.test('rejects signatures under any other content (KEY_REQUEST_UNAPPROVED)', async () => {
  const { payload: _, ...rest } = JSON.parse(signedOnlyBy(OPERATORS).toString());
  const other = fc.record({
    enclave: fc.constantFrom('patients', 'other'),
    nonce: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    from: fc.constantFrom(null, 'ab'.repeat(32)),
    action: fc.constantFrom(...ACTIONS),
  });
  const rejects = fc.property(other, (change) => {
    const payload = Buffer.from(canonicalJson({ ...REQUEST, ...change })).toString('base64');
    unapproved(Buffer.from(JSON.stringify({ ...rest, payload })), 1);
  });
  fc.assert(rejects, { numRuns: 60, seed: SEED });
});

t.test(
  'rejects a signature under what is no request: measurements are signed with such keys too (KEY_REQUEST_INVALID)',
  async () => {
    const envelope = JSON.parse(signedOnlyBy([ANNA]).toString());
    const other = { ...envelope, payloadType: 'application/vnd.in-toto+json' };
    throwsCode(() => readKeyRequest(Buffer.from(JSON.stringify(other))), KeyError, 'KEY_REQUEST_INVALID');
  },
);
