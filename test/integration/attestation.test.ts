/** Strangers ask a whole enclave what it is, over HTTP: in both modes, while it serves and after it has started anew. */
import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { request } from 'undici';
import { authenticateAttestationDocument } from '../../attestation/document/authenticate.ts';
import { commitmentTo, decodeStatement, pcrOfCommitment } from '../../attestation/runtime/statement.ts';
import { decodeUserData } from '../../attestation/runtime/user-data.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import { loadOrCreateNsmRoot } from '../../emulator/nsm/root.ts';
import { toPcrIndex } from '../../wire/brands.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { IN_LINE, servingStack, step } from '../support/stack.ts';

const HOST = { hostSettings: { attestation: { listen: 'tcp://127.0.0.1:0' } } };

async function ask(stack: Stack) {
  const status = await stack.enclave.until(({ attestation }) => attestation !== null, step());
  const nonce = randomBytes(32);
  const origin = status.attestation?.address.replace('tcp:', 'http:');
  const response = await request(`${origin}/v1/attestation?nonce=${nonce.toString('hex')}`);
  const body = (await response.body.json()) as { readonly document: string; readonly statement: string };
  const { certificateDer: rootDer } = await loadOrCreateNsmRoot(join(stack.options.root, 'sim', 'nsm'));
  const document = Buffer.from(body.document, 'base64');
  const statement = Buffer.from(body.statement, 'base64');
  return {
    status,
    statement,
    asked: nonce,
    ...authenticateAttestationDocument(document, { rootDer, nowMs: Date.now() }),
  };
}

async function requireWhole(t: Test, stack: Stack, ingress: 'terminate' | 'passthrough') {
  const { asked, status, nonce, pcrs, statement, userData, publicKey } = await ask(stack);
  t.same(nonce, asked);
  const pcr16 = pcrOfCommitment(commitmentTo(statement));
  t.same(pcrs.get(toPcrIndex(16)), pcr16);
  t.equal(status.measurements?.['PCR16'], pcr16.toString('hex'));
  t.equal(pcrs.size, 32);
  t.equal(decodeStatement(statement).ingress, ingress);
  const { tlsKeySha256, commitment } = decodeUserData(userData ?? Buffer.alloc(0));
  t.same(commitment, commitmentTo(statement));
  const server = new X509Certificate(readFileSync(join(stack.options.root, 'enclave', 'tls/server.pem')));
  t.same(
    tlsKeySha256,
    createHash('sha256')
      .update(server.publicKey.export({ type: 'spki', format: 'der' }))
      .digest(),
  );
  t.equal(publicKey?.length, 32);
  return publicKey;
}

t.test('tells a stranger what it is, and has another key after it started anew', async (t) => {
  const { stack } = await servingStack(t, HOST);
  const first = await requireWhole(t, stack, 'terminate');
  await stack.enclave.supervisor?.stop();
  stack.enclave.startSupervisor();
  await stack.enclave.untilServing(step());
  t.notSame(await requireWhole(t, stack, 'terminate'), first);
});

t.test(
  'lets `acra-enclave verify` pass over HTTP by what the enclave shows, and fail by another commitment',
  async (t) => {
    const { stack, address } = await servingStack(t, HOST);
    const { status } = await ask(stack);
    const root = join(stack.options.root, 'root.pem');
    const { certificateDer } = await loadOrCreateNsmRoot(join(stack.options.root, 'sim', 'nsm'));
    writeFileSync(root, new X509Certificate(certificateDer).toString());
    const url = status.attestation?.address.replace('tcp:', 'http:') ?? '';
    const verify = (...options: string[]) =>
      acraEnclave([
        'verify',
        '--url',
        url,
        '--trust-root',
        root,
        '--tls',
        `127.0.0.1:${address.port}`,
        '--json',
        ...options,
      ]);
    const { PCR0 = '', PCR16 = '' } = status.measurements ?? {};
    const passed = await verify('--pcr', `0=${PCR0}`, '--pcr', `16=${PCR16}`);
    t.equal(passed.code, 0, passed.stdout + passed.stderr);
    t.equal((await verify('--pcr', `0=${PCR0}`, '--pcr', `16=${PCR0}`)).code, 1, 'another commitment');
  },
);

t.test('tells it in line too', async (t) => {
  const { stack } = await servingStack(t, { ...IN_LINE, ...HOST });
  await requireWhole(t, stack, 'passthrough');
});
