/** Whatever fails between a program and KMS, the program gets an HTTP answer in the form of KMS, and no plaintext that was not for it. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { NsmError } from '../../../attestation/errors.ts';
import type { NsmProvider } from '../../../attestation/nsm/provider.ts';
import type { AwsCredentials } from '../../../kms/connection.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { sealToSpki } from '../../attestation/support/envelope.ts';
import type { Answer, EndpointOptions, HeardRequest } from '../../attestation/support/kms-endpoint.ts';
import {
  CREDENTIALS,
  countingNsm,
  KEY_ARN,
  kmsEndpoint,
  REGION,
  spkiIn,
} from '../../attestation/support/kms-endpoint.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import type { Dialled } from './support/proxy-fixture.ts';
import { ask, startProxy } from './support/proxy-fixture.ts';

const secret = Buffer.from('a secret of 23 bytes...');
const sealed = (request: HeardRequest, bytes = secret) => sealToSpki(spkiIn(request), bytes).toString('base64');
const good = (request: HeardRequest): Answer => ({ json: { KeyId: KEY_ARN, CiphertextForRecipient: sealed(request) } });

interface Circumstances {
  readonly answer?: (request: HeardRequest) => Answer;
  readonly certificate?: EndpointOptions;
  readonly nsm?: NsmProvider;
  readonly credentials?: () => Promise<AwsCredentials>;
  readonly target?: Dialled;
  readonly clock?: Clock;
}

async function rig(t: Test, { answer = good, certificate, nsm = countingNsm(), target, ...given }: Circumstances) {
  const endpoint = await kmsEndpoint(t, answer, certificate);
  const running = await startProxy(t, {
    section: {
      regions: [{ region: REGION, endpoint: 'https://kms.test', ca: 'ca' }],
      allow: [{ key: KEY_ARN, actions: ['Decrypt', 'Encrypt'] }],
      requestTimeoutMs: 60_000,
    },
    caPem: endpoint.connection.caPem!,
    target: target ?? endpoint.connection.dial,
    nsm,
    credentials: endpoint.connection.credentials,
    ...given,
  });
  const decrypt = () => ask(running.url, { region: REGION, body: { CiphertextBlob: 'eA==' } });
  const encrypt = () =>
    ask(running.url, { action: 'Encrypt', region: REGION, body: { KeyId: KEY_ARN, Plaintext: 'eA==' } });
  return { ...running, ...endpoint, decrypt, encrypt };
}

const OUTAGE = { status: 503, json: { __type: 'DependencyTimeoutException' } };
const FAILURE = { status: 500, json: { __type: 'KMSInternalException' } };

t.test('gives the plaintext in the place of the envelope, and what else KMS says', async (t) => {
  const { decrypt, connections } = await rig(t, {
    answer: (request) => ({
      json: { KeyId: KEY_ARN, EncryptionAlgorithm: 'X', CiphertextForRecipient: sealed(request), Plaintext: null },
    }),
  });
  for (let asked = 0; asked < 3; asked++) {
    const { status, json } = await decrypt();
    t.equal(status, 200);
    t.strictSame(json, { KeyId: KEY_ARN, EncryptionAlgorithm: 'X', Plaintext: secret.toString('base64') });
  }
  t.equal(connections(), 1, 'over one connection');
});

t.test('answers 503 with a type that SDKs try again where KMS cannot be reached', async (t) => {
  const nobody = await rig(t, { target: { path: `${temporaryFolder(t)}/nobody` } });
  t.match(await nobody.decrypt(), OUTAGE);
  const closing = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(closing, 'listening');
  t.teardown(() => closing.close());
  const address = closing.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  t.match(await (await rig(t, { target: { host: '127.0.0.1', port } })).decrypt(), OUTAGE);
  const cut = await rig(t, { answer: () => (response) => void response.socket?.destroy() });
  t.match(await cut.decrypt(), OUTAGE);
  const halfway = await rig(t, {
    answer: () => (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{"Key');
      setImmediate(() => response.socket?.destroy());
    },
  });
  t.match(await halfway.encrypt(), OUTAGE);
  t.match(halfway.logger.records.at(-1), {
    event: 'kms-proxy.failed',
    fields: { action: 'Encrypt', code: 'KMS_UNAVAILABLE' },
  });
});

t.test('answers 503 at the deadline, whatever it waits for', async (t) => {
  const never = () => new Promise<never>(() => undefined);
  for (const [what, circumstances] of Object.entries({
    'an answer': { answer: () => () => undefined },
    'the end of an answer': { answer: () => (response) => void response.writeHead(200).write('{') },
    credentials: { credentials: never },
    'the security module': { nsm: { ...countingNsm(), attest: never } },
  } satisfies Record<string, Circumstances>)) {
    const clock = new FakeClock(Date.now());
    const { decrypt } = await rig(t, { ...circumstances, clock });
    const asked = decrypt();
    await clock.untilSleeping();
    clock.advance(59_999);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1);
    t.match(await asked, OUTAGE, what);
  }
});

t.test('sends nothing to whoever shows another certificate, and answers 500', async (t) => {
  for (const certificate of [{ certificateName: 'other.test' }, { notAfterMs: Date.UTC(2021, 0, 1) }]) {
    const { decrypt, heard, logger } = await rig(t, { certificate });
    t.match(await decrypt(), FAILURE);
    t.equal(heard.length, 0);
    t.equal(logger.records.at(-1)?.fields['code'], 'KMS_TLS_UNTRUSTED');
  }
});

t.test('answers 503 without credentials, and says so', async (t) => {
  const { decrypt, heard } = await rig(t, {
    credentials: () => Promise.reject(new SupervisorError('CREDENTIALS_UNAVAILABLE', 'no role')),
  });
  const answer = await decrypt();
  t.match(answer, OUTAGE);
  t.match(answer.json['message'], /KMS_CREDENTIALS_UNAVAILABLE/);
  t.equal(heard.length, 0);
});

t.test('answers 500 where the security module fails, for what needs it alone', async (t) => {
  const attest = () => Promise.reject(new NsmError('NSM_INTERNAL_ERROR', 'the module refuses'));
  const answer = () => ({ json: { KeyId: KEY_ARN } });
  const { decrypt, encrypt, heard } = await rig(t, { answer, nsm: { ...countingNsm(), attest } });
  t.match(await decrypt(), FAILURE);
  t.equal(heard.length, 0);
  t.match(await encrypt(), { status: 200 });
});

const b64 = secret.toString('base64');
const RUBBISH: readonly [what: string, answer: (request: HeardRequest) => Answer, expected: object, code: string][] = [
  ['no envelope', () => ({ json: { KeyId: KEY_ARN } }), FAILURE, 'KMS_RECIPIENT_MISSING'],
  [
    'the plaintext beside the envelope',
    (r) => ({ json: { KeyId: KEY_ARN, CiphertextForRecipient: sealed(r), Plaintext: b64 } }),
    FAILURE,
    'KMS_PLAINTEXT_RETURNED',
  ],
  ['the plaintext alone', () => ({ json: { KeyId: KEY_ARN, Plaintext: b64 } }), FAILURE, 'KMS_PLAINTEXT_RETURNED'],
  [
    'another key',
    (r) => ({ json: { KeyId: KEY_ARN.replace(/.$/, '0'), CiphertextForRecipient: sealed(r) } }),
    FAILURE,
    'KMS_WRONG_KEY',
  ],
  ['no key', (r) => ({ json: { CiphertextForRecipient: sealed(r) } }), FAILURE, 'KMS_WRONG_KEY'],
  [
    'an envelope for another',
    () => ({ json: { KeyId: KEY_ARN, CiphertextForRecipient: 'eA==' } }),
    FAILURE,
    'CMS_SYNTAX',
  ],
  [
    'an envelope that is no text',
    () => ({ json: { KeyId: KEY_ARN, CiphertextForRecipient: { a: 1 } } }),
    FAILURE,
    'KMS_RESPONSE_INVALID',
  ],
  [
    'a member twice',
    (r) => ({ raw: `{"KeyId":"${KEY_ARN}","KeyId":"x","CiphertextForRecipient":"${sealed(r)}"}` }),
    FAILURE,
    'KMS_RESPONSE_INVALID',
  ],
  ['no JSON', () => ({ raw: `<html>${b64}</html>` }), FAILURE, 'KMS_RESPONSE_INVALID'],
  ['a list', () => ({ raw: '[]' }), FAILURE, 'KMS_RESPONSE_INVALID'],
  ['nothing', () => ({ raw: '' }), FAILURE, 'KMS_RESPONSE_INVALID'],
  ['more than KMS says', () => ({ raw: `{"a":"${'x'.repeat(40_000)}"}` }), FAILURE, 'KMS_RESPONSE_TOO_LARGE'],
  ['a redirection', () => ({ status: 302, raw: '{}' }), FAILURE, 'KMS_RESPONSE_INVALID'],
  ['an error without a type', () => ({ status: 400, raw: '{}' }), FAILURE, 'KMS_RESPONSE_INVALID'],
  ['a page of something in front of KMS', () => ({ status: 502, raw: '<html>' }), OUTAGE, 'KMS_UNAVAILABLE'],
];
for (const [what, answer, expected, code] of RUBBISH) {
  t.test(`rejects an answer with ${what} (${code}), and passes nothing of it on`, async (t) => {
    const { decrypt, logger } = await rig(t, { answer });
    const told = await decrypt();
    t.match(told, expected);
    t.notOk(JSON.stringify([told.json, logger.records]).includes(b64));
    t.equal(logger.records.at(-1)?.fields['code'], code);
  });
}

t.test('rejects an answer to a forwarded action that is for another key (KMS_WRONG_KEY)', async (t) => {
  let KeyId: string | undefined = KEY_ARN.replace(/.$/, '0');
  const { encrypt } = await rig(t, { answer: () => ({ json: { KeyId } }) });
  t.match(await encrypt(), FAILURE);
  for (const right of [KEY_ARN, KEY_ARN.split('/')[1], undefined]) {
    KeyId = right;
    t.match(await encrypt(), { status: 200 }, `${right}`);
  }
});

t.test('fetches credentials anew where KMS does not take them, once, and tells no program of them', async (t) => {
  const says = (type: string) => ({ status: 400, json: { __type: `com.amazonaws#${type}`, message: 'no' } });
  let bad = 1;
  const { decrypt, heard, discarded, logger } = await rig(t, {
    answer: (request) => {
      bad -= 1;
      return bad >= 0 ? says('ExpiredTokenException') : good(request);
    },
    credentials: async () => CREDENTIALS,
  });
  t.match(await decrypt(), { status: 200, json: { Plaintext: b64 } });
  t.equal(discarded(), 1);
  t.not(heard[0]?.body['Recipient'], heard[1]?.body['Recipient']);
  bad = 2;
  const answer = await decrypt();
  t.match(answer, OUTAGE);
  t.match(answer.json['message'], /ExpiredTokenException.*KMS_PROXY_CREDENTIALS_REFUSED/);
  t.equal(heard.length, 4);
  t.match(logger.records.at(-1), { event: 'kms-proxy.failed', fields: { code: 'KMS_PROXY_CREDENTIALS_REFUSED' } });
});

t.test('passes errors of KMS on with status, type, words and the number of the request', async (t) => {
  for (const [status, json] of [
    [400, { __type: 'ThrottlingException', message: 'slower' }],
    [400, { __type: 'com.amazonaws.kms#NotFoundException', Message: 'not here' }],
    [500, { __type: 'KMSInternalException', message: 'later' }],
    [429, { __type: 'TooManyRequestsException' }],
  ] as const) {
    const { decrypt } = await rig(t, {
      answer: () => (response) => {
        response.writeHead(status, { 'x-amzn-RequestId': 'of-kms-1' }).end(JSON.stringify(json));
      },
    });
    const told = await decrypt();
    t.match(told, { status, json });
    t.equal(told.headers.get('x-amzn-requestid'), 'of-kms-1');
    t.equal(told.headers.get('content-type'), 'application/x-amz-json-1.1');
  }
});

t.test('asks again, once, where KMS closes the connection that it had kept', async (t) => {
  let asked = 0;
  const { decrypt, connections } = await rig(t, {
    answer: (request) => {
      asked += 1;
      return asked === 2 ? (response) => void response.socket?.destroy() : good(request);
    },
  });
  t.match(await decrypt(), { status: 200 });
  t.match(await decrypt(), { status: 200 });
  t.equal(connections(), 2);
  t.equal(asked, 3);
});
