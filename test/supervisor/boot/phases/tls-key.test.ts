import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError } from '../../../../config/errors.ts';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import type { Configured } from '../../../../supervisor/boot/phases/configuration.ts';
import { tlsKeyPhase } from '../../../../supervisor/boot/phases/tls-key.ts';
import { SupervisorError } from '../../../../supervisor/errors.ts';
import { GOOD, makeCertificate } from '../../../keys/support/certificate-maker.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { phaseContext } from '../../support/phase-context.ts';

type Needs = Pick<Configured, 'config' | 'pathOf'>;
const table = BootTable.empty<Needs>().phase(tlsKeyPhase);
const NOW_MS = Date.UTC(2026, 0, 1);
const authority = makeCertificate(GOOD.authority, NOW_MS);
const server = makeCertificate(GOOD.server, NOW_MS, authority);

function run(folder: string) {
  const config = { acra: { certificate: 'server.pem' } };
  const start = { config, pathOf: (file: string) => join(folder, file) };
  return boot(table, start, phaseContext('tls-key', new FakeClock()), new AbortController().signal);
}

t.test('knows the key of the server’s own certificate, the first of its file', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'server.pem'), server.pem + authority.pem);
  const spki = server.certificate.publicKey.export({ type: 'spki', format: 'der' });
  const { tlsKeySha256 } = await run(folder);
  t.same(tlsKeySha256, createHash('sha256').update(spki).digest());
});

t.test('rejects a file that holds no certificate (BOOT_TLS_KEY_UNKNOWN)', async (t) => {
  const folder = temporaryFolder(t);
  for (const text of ['', 'certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n']) {
    writeFileSync(join(folder, 'server.pem'), text);
    await rejectsCode(() => run(folder), SupervisorError, 'BOOT_TLS_KEY_UNKNOWN');
  }
});

t.test('rejects a missing file (CONFIG_FILE_READ)', async (t) => {
  await rejectsCode(() => run(temporaryFolder(t)), ConfigError, 'CONFIG_FILE_READ');
});
