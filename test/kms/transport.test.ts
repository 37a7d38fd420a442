import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { AttestedKms } from '../../kms/client.ts';
import type { KmsConnection } from '../../kms/connection.ts';
import { KmsError } from '../../kms/errors.ts';
import type { Issued } from '../attestation/support/certificate.ts';
import { ca, caUsage, issue, pemOf } from '../attestation/support/certificate.ts';
import { sealToSpki } from '../attestation/support/envelope.ts';
import type { EndpointOptions, HeardRequest } from '../attestation/support/kms-endpoint.ts';
import { authority, countingNsm, kmsEndpoint, spkiIn } from '../attestation/support/kms-endpoint.ts';
import { rejectsCode, throwsCode } from '../support/coded-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type Test = Parameters<typeof kmsEndpoint>[0];
const signal = new AbortController().signal;

function answer(request: HeardRequest) {
  return { json: { CiphertextForRecipient: sealToSpki(spkiIn(request), Buffer.alloc(8, 1)).toString('base64') } };
}

async function ask(t: Test, connection: KmsConnection, within = signal): Promise<number> {
  const kms = new AttestedKms(connection, countingNsm());
  t.teardown(() => kms.close());
  using secret = await kms.generateRandom({ lengthBytes: 8, signal: within });
  return secret.length;
}

t.test('dials a unix socket and verifies the name of the endpoint all the same', async (t) => {
  const path = join(temporaryFolder(t), 'kms');
  const { connection } = await kmsEndpoint(t, answer, { path });
  t.equal(await ask(t, connection), 8);
  const elsewhere = { ...connection, endpoint: new URL('https://other.test') };
  await rejectsCode(() => ask(t, elsewhere), KmsError, 'KMS_TLS_UNTRUSTED');
});

t.test('sends the name and port of the endpoint, not of the relay', async (t) => {
  const { connection, heard } = await kmsEndpoint(t, answer);
  t.equal(await ask(t, { ...connection, endpoint: new URL('https://kms.test:4566/') }), 8);
  t.equal(heard[0]?.headers.host, 'kms.test:4566');
});

function makeAuthority(name: string): Issued {
  const validity = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2049, 0, 1) };
  return issue({ name, ...validity, extensions: [ca(), caUsage] });
}

const UNTRUSTED: readonly [why: string, options: EndpointOptions, changes: Partial<KmsConnection>][] = [
  ['of another name', { certificateName: 'other.test' }, {}],
  ['that has expired', { notAfterMs: Date.UTC(2021, 0, 1) }, {}],
  ['of another CA with the same name', {}, { caPem: pemOf(makeAuthority(authority.name)) }],
  ["of a CA that Node doesn't know", {}, { caPem: undefined as never }],
  ['that does not name the address', {}, { endpoint: new URL('https://127.0.0.1') }],
];

for (const [why, options, changes] of UNTRUSTED) {
  t.test(`rejects a certificate ${why}, once and for all (KMS_TLS_UNTRUSTED)`, async (t) => {
    const { connection, heard } = await kmsEndpoint(t, answer, options);
    const { caPem, ...rest } = { ...connection, ...changes };
    const error = await rejectsCode(() => ask(t, { ...rest, ...(caPem && { caPem }) }), KmsError, 'KMS_TLS_UNTRUSTED');
    t.notOk(error.retryable);
    t.equal(heard.length, 0, 'nothing was sent');
  });
}

t.test('verifies certificates whatever NODE_TLS_REJECT_UNAUTHORIZED says', async (t) => {
  const { connection } = await kmsEndpoint(t, answer, { certificateName: 'other.test' });
  t.teardown(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  await rejectsCode(() => ask(t, connection), KmsError, 'KMS_TLS_UNTRUSTED');
});

t.test('rejects a CA that is no certificate (KMS_CA_INVALID)', async (t) => {
  const { connection } = await kmsEndpoint(t, answer);
  for (const caPem of ['', 'no certificate']) {
    throwsCode(() => new AttestedKms({ ...connection, caPem }, countingNsm()), KmsError, 'KMS_CA_INVALID');
  }
});

t.test('trusts every CA in the file', async (t) => {
  const { connection } = await kmsEndpoint(t, answer);
  t.equal(await ask(t, { ...connection, caPem: pemOf(makeAuthority('another CA')) + pemOf(authority) }), 8);
});

t.test('rejects an endpoint that is not https (KMS_ENDPOINT_INVALID)', async (t) => {
  const { connection } = await kmsEndpoint(t, answer);
  for (const endpoint of ['http://kms.test', 'ftp://kms.test', 'https://user:password@kms.test']) {
    const changed = { ...connection, endpoint: new URL(endpoint) };
    throwsCode(() => new AttestedKms(changed, countingNsm()), KmsError, 'KMS_ENDPOINT_INVALID');
  }
});

t.test('speaks no TLS below 1.2 (KMS_UNAVAILABLE)', async (t) => {
  const { connection } = await kmsEndpoint(t, answer, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
  await rejectsCode(() => ask(t, connection), KmsError, 'KMS_UNAVAILABLE');
});

t.test('reports a relay that nobody serves (KMS_UNAVAILABLE)', async (t) => {
  const { connection } = await kmsEndpoint(t, answer);
  const error = await rejectsCode(
    () => ask(t, { ...connection, dial: { path: join(temporaryFolder(t), 'nobody') } }),
    KmsError,
    'KMS_UNAVAILABLE',
  );
  t.ok(error.retryable);
  t.match(error.cause, { message: /ENOENT/ });
});

/** A listener that accepts and never says a word. */
async function silence(t: Test): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => t.teardown(() => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { host: '127.0.0.1', port: address.port };
}

t.test('waits no longer than the time-out for a handshake (KMS_UNAVAILABLE)', async (t) => {
  const { connection } = await kmsEndpoint(t, answer);
  const late = { ...connection, dial: await silence(t), requestTimeoutMs: 300 };
  const error = await rejectsCode(() => ask(t, late), KmsError, 'KMS_UNAVAILABLE');
  t.equal(error.allowed, '300 ms');
});

t.test(
  'waits no longer than the time-out for an answer, its end, credentials or the module (KMS_UNAVAILABLE)',
  async (t) => {
    const never = () => new Promise<never>(() => undefined);
    const mute = await kmsEndpoint(t, () => () => undefined);
    const halting = await kmsEndpoint(t, () => (response) => void response.writeHead(200).write('{'));
    const short = { requestTimeoutMs: 300 };
    await Promise.all([
      rejectsCode(() => ask(t, { ...mute.connection, ...short }), KmsError, 'KMS_UNAVAILABLE'),
      rejectsCode(() => ask(t, { ...halting.connection, ...short }), KmsError, 'KMS_UNAVAILABLE'),
      rejectsCode(() => ask(t, { ...mute.connection, ...short, credentials: never }), KmsError, 'KMS_UNAVAILABLE'),
      rejectsCode(
        () =>
          new AttestedKms({ ...mute.connection, ...short }, { ...countingNsm(), attest: never }).generateRandom({
            lengthBytes: 8,
            signal,
          }),
        KmsError,
        'KMS_UNAVAILABLE',
      ),
    ]);
  },
);

t.test('ends with the reason of the signal that ended it', async (t) => {
  const caller = new AbortController();
  const reason = new Error('the daemon stops');
  const { connection } = await kmsEndpoint(t, () => () => caller.abort(reason));
  await t.rejects(ask(t, connection, caller.signal), reason);
  await t.rejects(ask(t, connection, caller.signal), reason, 'also when it was aborted before');
});

t.test('ends requests under way when it is closed, and takes no more (KMS_CLOSED)', async (t) => {
  const { connection, connections } = await kmsEndpoint(t, () => () => kms.close());
  const kms = new AttestedKms(connection, countingNsm());
  await rejectsCode(() => kms.generateRandom({ lengthBytes: 8, signal }), KmsError, 'KMS_CLOSED');
  await rejectsCode(() => kms.generateRandom({ lengthBytes: 8, signal }), KmsError, 'KMS_CLOSED');
  kms.close();
  t.equal(connections(), 1);
});
