import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { stringify } from 'yaml';
import { EncryptorError } from '../../../../acra/errors.ts';
import type { AcraProgram } from '../../../../acra/obtain/program.ts';
import { publicKeySha256 } from '../../../../encoding/public-key-hash.ts';
import { KeyError } from '../../../../keys/errors.ts';
import { encodeMasterKeyFile } from '../../../../keys/master-key-file.ts';
import { BootTable, boot } from '../../../../supervisor/boot/phase.ts';
import { configurationPhase } from '../../../../supervisor/boot/phases/configuration.ts';
import type { AcraStart } from '../../../../supervisor/boot/start.ts';
import { GOOD, makeCertificate, type Shape } from '../../../keys/support/certificate-maker.ts';
import { PROJECT } from '../../../project/imports.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { phaseContext } from '../../support/phase-context.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const KMS = {
  region: 'eu-central-1',
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  encryptionContext: { purpose: 'test' },
};
const table = BootTable.empty<AcraStart>().phase(configurationPhase);
const authority = makeCertificate(GOOD.authority, NOW_MS);
const server = makeCertificate(GOOD.server, NOW_MS, authority);

/** @param sealed the certificate whose key was sealed */
function measuredFolder(t: Test, change: Shape, sealed = server): string {
  const folder = temporaryFolder(t);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, 'tls'));
  const database = { serverName: 'db.internal' };
  write(
    'enclave.yaml',
    stringify({ version: 1, name: 'records', ingress: { tls: 'passthrough' }, database, kms: KMS }),
  );
  copyFileSync(join(PROJECT, 'examples/encryptor.yaml'), join(folder, 'encryptor.yaml'));
  write('tls/server.pem', makeCertificate({ ...GOOD.server, key: server.key, ...change }, NOW_MS, authority).pem);
  write('tls/client-ca.pem', authority.pem);
  write('tls/database-ca.pem', 'damaged');
  const serverKeySha256 = publicKeySha256(sealed.certificate);
  write('master-key.json', encodeMasterKeyFile({ ...KMS, ciphertext: Buffer.alloc(100), serverKeySha256 }));
  return folder;
}

const program = (kind: AcraProgram['kind']): AcraProgram => ({
  kind,
  program: '/acra-server',
  leadingArguments: [],
  sha256: '',
  description: '',
});

async function run(folder: string, kind: AcraProgram['kind'] = 'image') {
  const context = phaseContext('configuration', new FakeClock(NOW_MS), {});
  const have = await boot(table, { folder, acraProgram: program(kind) }, context, new AbortController().signal);
  const records = context.logger.records.filter(({ event }) => event.startsWith('certificate.'));
  return { have, told: records.map(({ level, event, fields }) => ({ level, event, ...fields })) };
}

t.test('tells when certificates end: ahead, and loudly when one has ended, without refusing to boot', async (t) => {
  const lives = [
    [31, 'info', 'certificate.valid'],
    [29, 'warn', 'certificate.ending'],
    [-0.5, 'error', 'certificate.expired'],
  ] as const;
  for (const [toDays, level, event] of lives) {
    const { have, told } = await run(measuredFolder(t, { toDays }));
    const endsMs = NOW_MS + toDays * DAY_MS;
    t.match(told[0], { level, event, certificate: 'server', endsAt: new Date(endsMs).toISOString() });
    t.match(have.certificateEnds, [{ certificate: 'server', endsMs }, { certificate: 'client-ca' }]);
    t.equal(told.length, 2, 'of a file that cannot be read nothing is known here');
  }
});

t.test('names an expired one by its code', async (t) => {
  const { told } = await run(measuredFolder(t, { toDays: -0.5 }));
  t.match(told[0], { code: 'CERTIFICATE_EXPIRED' });
});

t.test('rejects a server certificate whose key was not the one sealed (KEY_CERTIFICATE_MISMATCH)', async (t) => {
  const other = makeCertificate(GOOD.server, NOW_MS, authority);
  await rejectsCode(() => run(measuredFolder(t, {}, other)), KeyError, 'KEY_CERTIFICATE_MISMATCH');
});

t.test(
  'rejects at once what the stand-in cannot do, by column, and only where it is the program (ENCRYPTOR_STAND_IN)',
  async (t) => {
    const settings = {
      masking: 'data_type: str, masking: xx, plaintext_length: 2, plaintext_side: left',
      AcraStruct: 'crypto_envelope: acrastruct',
      integers: 'data_type: int32',
    };
    for (const [what, setting] of Object.entries(settings)) {
      const folder = measuredFolder(t, {});
      const text = `schemas: [{table: v, columns: [c], encrypted: [{column: c, ${setting}}]}]\n`;
      writeFileSync(join(folder, 'encryptor.yaml'), text);
      const error = await rejectsCode(() => run(folder, 'stand-in'), EncryptorError, 'ENCRYPTOR_STAND_IN');
      t.match(error.message, 'table "v", column "c": the stand-in cannot do', what);
      await run(folder, 'path');
    }
  },
);
