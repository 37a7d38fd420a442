/** Another TLS key for an enclave that serves, on request of operators: sessions go on, and whoever verifies is told of the new one. */
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import t, { type Test } from 'tap';
import { parseAttestationDocument } from '../../attestation/document/parse.ts';
import { decodeUserData } from '../../attestation/runtime/user-data.ts';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { connectThroughEnclave } from '../../cli/demo/clients.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import type { Stack, StackOptions } from '../../cli/demo/stack.ts';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { publicKeySha256 } from '../../encoding/public-key-hash.ts';
import { readCertificateRequest } from '../../keys/tls/certificate-request.ts';
import type { TcpEndpoint } from '../../wire/endpoint.ts';
import { acraEnclave, start } from '../cli/support/acra-enclave.ts';
import { GOOD, makeCertificate } from '../keys/support/certificate-maker.ts';
import { prepareStack, step } from '../support/stack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { connect, Keys, tellDatabase } from './support/key-desk.ts';
import { shownCertificate } from './support/shown-certificate.ts';

const NONCE = Buffer.alloc(32, 5).toString('base64');
const authority = makeCertificate({ ...GOOD.authority, subject: 'server CA' }, Date.now());

async function bootingWithKeys(t: Test, options: Partial<StackOptions> = {}) {
  const stack = await prepareStack(t, { keysSource: 'parent', ...options });
  writeFileSync(join(stack.enclaveFolder, 'tls/server-ca.pem'), authority.pem);
  await stack.allowMeasuredEnclave();
  await stack.enclave.startHostProxy();
  stack.enclave.startSupervisor();
  const keys = new Keys(stack);
  await keys.untilAwaited();
  const first = await keys.ceremony();
  await tellDatabase(stack, first);
  await keys.take(first);
  return { stack, keys };
}

/** @returns the new key's hash */
async function rotate(keys: Keys): Promise<string> {
  const answer = await keys.change(keys.signed(await keys.request({ kind: 'rotate-tls' })));
  const hash = answer.type === 'keys-changed' ? /[0-9a-f]{64}/.exec(answer.what)?.[0] : undefined;
  if (hash === undefined) throw new Error(`the enclave answered ${JSON.stringify(answer)}`);
  return hash;
}

const keyShown = async (address: TcpEndpoint) => publicKeySha256(await shownCertificate(address));
const one = async (client: pg.Client) => (await client.query('SELECT 1 AS one')).rows;

/** `acra-enclave connect`, as a user runs it. @returns connects a driver to its socket, and what it has printed */
async function connector(t: Test, stack: Stack, { host, port }: TcpEndpoint, demands: readonly string[]) {
  const { certificate, key } = stack.parts.clientFiles;
  const folder = join(temporaryFolder(t), 'socket');
  const words = ['connect', `${host}:${port}`, '--cert', certificate, '--key', key, '--socket-dir', folder];
  const run = start([...words, ...demands]);
  t.teardown(() => run.child.kill('SIGKILL'));
  let told = '';
  const listening = new Promise<void>((resolve) => {
    run.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      told += text;
      if (told.includes('listening')) resolve();
    });
  });
  const ended = run.outcome.then(({ stderr }) => Promise.reject(new Error(stderr)));
  await Promise.race([listening, ended]);
  ended.catch(() => undefined);
  const session = async () => {
    const client = new pg.Client({ host: folder, user: APPLICATION.user, database: DATABASE });
    client.on('error', (error) => t.comment(error.message));
    await client.connect();
    return client;
  };
  return { session, told: () => told };
}

t.test('shows another key at once, which verifies, and costs no session', async (t) => {
  const { stack, keys } = await bootingWithKeys(t);
  const address = await stack.enclave.untilServing(step());
  const { measurements, trustRoot } = await writeVerificationFiles(stack);
  const demands = ['--measurements', measurements, '--trust-root', trustRoot];
  const local = await connector(t, stack, address, demands);
  const [direct, verified] = [await connect(stack, address), await local.session()];
  await direct.query('BEGIN');
  const before = await keyShown(address);

  const next = await rotate(keys);
  t.not(next, before);
  t.equal(await keyShown(address), next);
  for (const each of [direct, verified]) t.same(await one(each), [{ one: 1 }], 'a session of before');
  await direct.query('COMMIT');
  const { code, stdout } = await acraEnclave(['verify', '--connect', `${address.host}:${address.port}`, ...demands]);
  t.equal(code, 0);
  t.match(stdout, next);

  const again = await local.session();
  t.same(await one(again), [{ one: 1 }], 'connect has verified the new key by itself');
  t.match(local.told(), next);
  const other = await connect(stack, address);
  t.same(await one(other), [{ one: 1 }]);
  for (const each of [direct, verified, again, other]) await each.end();
});

t.test('shows the old pair until the certificate of the new key is brought', async (t) => {
  const tls = { key: 'attested', certificate: 'operator-ca', names: [ENCLAVE_NAME] };
  const { stack, keys } = await bootingWithKeys(t, { enclaveSettings: { tls } });
  const request = async () => {
    const answer = await keys.ask({ type: 'certificate-request', nonce: NONCE });
    if (answer.type !== 'certificate-request') throw new Error(JSON.stringify(answer));
    const { userData } = parseAttestationDocument(Buffer.from(answer.document, 'base64')).payload;
    const asked = readCertificateRequest(Buffer.from(answer.request, 'base64'));
    const named = decodeUserData(userData ?? Buffer.alloc(0)).tlsKeySha256;
    return { ...asked, named: named.toString('hex') };
  };
  const install = async () => {
    const { publicKey } = await request();
    const spki = createPublicKey({ key: publicKey.export({ format: 'jwk' }), format: 'jwk' });
    const hex = spki.export({ type: 'spki', format: 'der' }).toString('hex');
    const shape = { ...GOOD.server, dnsNames: [ENCLAVE_NAME], spki: hex };
    const chain = makeCertificate(shape, Date.now(), authority).pem;
    t.match(await keys.ask({ type: 'install-certificate', chain }), { type: 'certificate-installed' });
  };
  await stack.enclave.until(({ enclave }) => enclave?.phase === 'certificate', step());
  await install();
  const address = await stack.enclave.untilServing(step());
  const { parts } = stack;
  const certificates = { ...parts.certificates, applicationCaPem: authority.pem };
  const session = () => connectThroughEnclave({ parts: { ...parts, certificates } }, address);
  const client = await session();
  const before = await keyShown(address);

  const next = await rotate(keys);
  const { keySha256, named } = await request();
  t.equal(keySha256.toString('hex'), next);
  t.equal(named, next, 'the request comes with an attestation of its key');
  t.equal(await keyShown(address), before);
  await install();
  t.equal(await keyShown(address), next);
  t.same(await one(client), [{ one: 1 }]);
  const other = await session();
  t.same(await one(other), [{ one: 1 }]);
  for (const each of [client, other]) await each.end();
});
