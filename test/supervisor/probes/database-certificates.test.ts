/** The probe says of a database's TLS what a session through acra-server meets; with a real acra-server, both are asked. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import t from 'tap';
import { probeDatabase } from '../../../supervisor/probes/database.ts';
import { withoutRealAcraServer } from '../../acra/support/real-acra-server.ts';
import { sessionThroughRealAcra } from '../../acra/support/real-session.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { SERVER_NAME, SHAPES } from '../support/certificate-shapes.ts';
import { HANDSHAKE_SHAPES } from '../support/handshake-shapes.ts';
import { makeCertificate } from '../support/make-certificate.ts';
import { databaseWithTls } from '../support/tls-database.ts';

const TIMEOUT_MS = 20_000;
const withoutOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'OpenSSL is not installed';

t.test('a database’s certificate', { skip: withoutOpenssl }, async (t) => {
  for (const shape of [...SHAPES, ...HANDSHAKE_SHAPES]) {
    const { name, verdict, serverName = SERVER_NAME, server } = shape;
    await t.test(`keeps to acra-server’s verdict on ${name}: ${verdict}`, async (t) => {
      const folder = temporaryFolder(t);
      const { chainPem, keyPem, caPem } = await makeCertificate(shape, folder);
      const context = createSecureContext({ cert: chainPem, key: keyPem, ciphers: 'DEFAULT@SECLEVEL=0', ...server });
      const database = await databaseWithTls(t, context);
      const probe = { target: database.address, serverName, caPem, timeoutMs: TIMEOUT_MS };
      const answer = await probeDatabase(probe, new AbortController().signal);
      const kind = verdict === 'accepted' ? 'trusted' : verdict;
      t.equal(answer.kind, kind, 'reason' in answer ? answer.reason : '');
      if (withoutRealAcraServer !== false) return;
      mkdirSync(join(folder, 'acra'));
      const leg = { folder: join(folder, 'acra'), database: database.address, serverName, caPem };
      const complaint = await sessionThroughRealAcra(leg);
      t.equal(database.startups, verdict === 'accepted' ? 1 : 0, `acra-server: ${complaint ?? 'no complaint'}`);
      if (verdict !== 'accepted') t.match(complaint, /tls:|x509:/);
      t.comment(complaint ?? 'accepted');
    });
  }
});
