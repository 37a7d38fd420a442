/** measurements.json is read whole by whoever verifies, signs it or writes a policy: it stays small however large an application is. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  COMMITMENT_PCR,
  commitmentTo,
  encodeStatement,
  pcrOfCommitment,
} from '../../../attestation/runtime/statement.ts';
import { readExpectedMeasurements } from '../../../cli/measurements/files.ts';
import { readMeasurements } from '../../../cli/policy/measurements.ts';
import { readExpectedPcrs } from '../../../eif/expected-pcrs.ts';
import { type MeasurementsContent, toMeasurements } from '../../../eif/image/measurements.ts';
import { APP } from '../../attestation/support/app-statement.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const encoding = encodeStatement(APP);
const commitment = commitmentTo(encoding);
const pcr16 = pcrOfCommitment(commitment);
const sha256 = 'ab'.repeat(32);

function entries(names: readonly string[]): MeasurementsContent['contents'] {
  const list = names.map((name) => ({ name, mode: 0o644, size: 1, uid: 0, gid: 0, sha256 }));
  return [{ entries: list, componentOf: new Map() }];
}

function measurementsOf(names: readonly string[]) {
  const pcr = (byte: number) => Buffer.alloc(48, byte);
  return toMeasurements({
    written: {
      fileSize: 1,
      crc32: 1,
      sections: [],
      measurements: { pcr0: pcr(1), pcr1: pcr(2), pcr2: pcr(3) },
    },
    pcr8: '00'.repeat(48),
    imageSha256: sha256,
    imageName: 'acra-enclave.eif',
    isSigned: false,
    unpackedBytes: 1,
    kernel: {
      architecture: 'x86_64',
      path: '/kernel',
      cmdline: '',
      release: '6.12',
      origin: { name: 'linux', version: '6.12', inputs: {} },
      bootstrap: { kind: 'own' },
    },
    kernelSha256: sha256,
    runtime: { statement: APP, encoding, commitment, pcr16 },
    ramdisks: [
      {
        role: 'application',
        compression: 'none',
        pieces: [],
        contents: Promise.resolve(entries([])[0]!),
      },
    ],
    contents: entries(names),
    billName: 'bom.json',
    billSha256: sha256,
  });
}

t.test(
  'lists our files and those of the measured folder, and leaves the application’s to the bill of materials',
  async (t) => {
    const names = ['acra-enclave/init', 'enclave/enclave.yaml', 'app/bin/web', 'rootfs/app/bin/web', 'application'];
    const [ramdisk] = measurementsOf(names).ramdisks;
    t.same(Object.keys(ramdisk?.files ?? {}), ['/acra-enclave/init', '/enclave/enclave.yaml', '/application']);
  },
);

t.test('can be read by every command that is given it, of an application with 100,000 files', async (t) => {
  const names = Array.from({ length: 100_000 }, (_, index) => `app/usr/lib/node_modules/package-${index}/index.js`);
  const file = join(temporaryFolder(t), 'measurements.json');
  writeFileSync(file, JSON.stringify(measurementsOf(names), null, 2));
  const verified = await readExpectedMeasurements(file, { require: [], maxAgeMs: undefined, nowMs: 0 });
  t.same(verified.pcrs.get(COMMITMENT_PCR), pcr16);
  t.same((await readMeasurements(file)).pcrs.get(COMMITMENT_PCR), pcr16);
  t.ok(await readExpectedPcrs(file));
});
