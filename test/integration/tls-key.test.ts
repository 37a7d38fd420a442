/** A TLS key that the enclave makes itself, through the whole product: its own certificate as the root of clients, and another key at each boot. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeVerificationFiles } from '../../cli/demo/verification.ts';
import { publicKeySha256 } from '../../encoding/public-key-hash.ts';
import { acraEnclave } from '../cli/support/acra-enclave.ts';
import { withoutPsql } from '../support/psql.ts';
import { logLines, step } from '../support/stack.ts';
import { answerOf, psql, session } from './support/own-tls-client.ts';
import { ownTlsStack } from './support/own-tls-stack.ts';
import { shownCertificate } from './support/shown-certificate.ts';

t.test('serves with a certificate of its own, which clients that know it take as their root', async (t) => {
  const { serving, certificate } = await ownTlsStack(t);
  const { stack, address } = serving;
  const pem = certificate.toString();
  const key = logLines(stack.enclave, 'supervisor').find(({ event }) => event === 'tls.key-known');
  t.match(key, { key: 'attested', tlsKeySha256: publicKeySha256(certificate) });

  await t.test('which `verify` writes down for them, when all is proven', { skip: withoutPsql }, async (t) => {
    const files = await writeVerificationFiles(stack);
    const out = join(stack.options.root, 'verified');
    const where = ['--connect', `${address.host}:${address.port}`, '--out', out];
    const expected = ['--measurements', files.measurements, '--trust-root', files.trustRoot];
    const verified = await acraEnclave(['verify', ...where, ...expected, '--require-attested-tls-key'], {});
    t.equal(verified.code, 0, verified.stderr);
    t.equal(await psql(serving, readFileSync(join(out, 'ca.pem'), 'utf8'), 'channel_binding=require'), '42');
  });

  await t.test('bound to it by SCRAM, in node-postgres', async (t) => {
    const client = await session(serving, pem);
    t.equal(await answerOf(client), 42);
    await client.end();
    await t.rejects(session(serving, stack.parts.certificates.applicationCaPem), /self.signed/);
  });

  await t.test('for psql with verify-full, which may demand the binding', { skip: withoutPsql }, async (t) => {
    t.equal(await psql(serving, pem, ''), '42');
    t.equal(await psql(serving, pem, 'channel_binding=require'), '42');
    t.match(await psql(serving, pem, 'host=other.test'), 'does not match host name');
  });

  await t.test('of which the image and the logs hold no private half', async (t) => {
    const files = readdirSync(stack.enclaveFolder, { recursive: true }).map(String);
    t.notOk(files.some((file) => file.startsWith('tls/server')));
    const logs = readFileSync(stack.enclave.supervisor?.logFile ?? '', 'latin1');
    t.notOk(logs.includes('PRIVATE KEY'));
  });

  await t.test('and makes another key at the next boot', async (t) => {
    await stack.enclave.supervisor?.stop();
    stack.enclave.startSupervisor();
    const next = await stack.enclave.untilServing(step());
    t.not(publicKeySha256(await shownCertificate(next)), publicKeySha256(certificate));
    await t.rejects(session({ stack, address: next }, pem), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });
});
