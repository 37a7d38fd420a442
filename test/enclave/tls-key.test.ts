/** A machine makes its own TLS key: sessions end there, documents on the public port name it, and only a module that signs is believed. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import t from 'tap';
import { readStatedDocument } from '../../attestation/document/stated-document.ts';
import { decodeUserData } from '../../attestation/runtime/user-data.ts';
import { verify } from '../../attestation/verify/verify.ts';
import { ENCLAVE_NAME } from '../../cli/demo/certificates.ts';
import { APPLICATION, DATABASE } from '../../cli/demo/database.ts';
import { fetchDirect } from '../../cli/verify/fetch-direct.ts';
import { publicKeySha256 } from '../../encoding/public-key-hash.ts';
import { shownCertificate } from '../integration/support/shown-certificate.ts';
import { EnclaveStack, step } from './support/enclave-stack.ts';
import { target } from './support/target.ts';

t.test('serves with a TLS key that it made itself, and attests it on the port that sessions use', async (t) => {
  const stack = await EnclaveStack.prepare(t, { tls: { key: 'attested', names: [ENCLAVE_NAME] } });
  const { image, address } = await stack.serve();
  const certificate = await shownCertificate(address);
  const nonce = randomBytes(32);
  const { document, statement, tls } = await fetchDirect(address, nonce, step());
  const { payload } = readStatedDocument(document);
  const attested = decodeUserData(payload.userData ?? Buffer.alloc(0)).tlsKeySha256;
  t.equal(attested.toString('hex'), publicKeySha256(certificate), 'sessions end at the key that is attested');
  t.same(tls?.keySha256, attested, 'and so does the endpoint');

  const client = new pg.Client({
    ...address,
    ...APPLICATION,
    database: DATABASE,
    ssl: {
      ca: certificate.toString(),
      cert: stack.parts.certificates.client.certificatePem,
      key: stack.parts.certificates.client.privateKeyPem,
      servername: ENCLAVE_NAME,
    },
  });
  t.teardown(() => client.end());
  await client.connect();
  t.same((await client.query('SELECT 42 AS answer')).rows, [{ answer: 42 }]);

  const measurements = { pcrs: image.pcrs, statement: image.measurements.runtime.statement };
  const demands = { measurements, nonce, tlsKeySha256: attested, attestedTlsKey: true };
  const report = verify({ document, ...(statement && { statement }) }, demands);
  const failed = report.claims.filter(({ result }) => result === 'fail').map(({ claim }) => claim);
  if (target().name === 'nitro') t.same(failed, [], 'everything is proven, under the root of AWS');
  else t.equal(report.verdict, 'fail', `nobody is told to believe a module that does not sign: ${failed.join(', ')}`);
});
