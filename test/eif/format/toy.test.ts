/** The toy image of nitro-formats 3.1, to the bit. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readEif } from '../../../eif/format/reader.ts';
import { writeEif } from '../../../eif/format/writer.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TOY, writeImage } from '../support/images.ts';

const PCRS = {
  pcr0: '5ac5180ff02814bf0dd3177ddbc06b67f39fb131640c958bc58aed19d81893e378c8c504a3b86379f37cd3c0ef02f4df',
  pcr1: 'ecaf365aabb24b65b0a2f9222646cdcc8b033e9908c32814da8c1d40e71a1718675e45df68446c0ccdafd8c02f9640a4',
  pcr2: '5f699ae4300525c628f5c96fc521729dd6ca1a2c07cb07b69e7ae9e3fa935cfd7cc83b3e26d89201a486d9db2405c562',
};
const EMPTY_PCR2 = '21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c10edb30948c90ba67310f7b964fc500a';

const hex = (pcrs: Record<string, Buffer>) =>
  Object.fromEntries(Object.entries(pcrs).map(([name, value]) => [name, value.toString('hex')]));

t.test('writes the toy image to the bit', async (t) => {
  const path = join(temporaryFolder(t), 'toy.eif');
  const written = await writeEif(path, TOY);
  const bytes = readFileSync(path);
  t.equal(bytes.length, 664);
  t.equal(written.fileSize, 664);
  t.equal(written.crc32, 0xf7a4_a4cb);
  t.same(
    written.sections.map(({ headerOffset, size }) => [headerOffset, size]),
    [
      [548, 6],
      [566, 17],
      [595, 17],
      [624, 8],
      [644, 8],
    ],
  );
  t.same(hex({ ...written.measurements }), PCRS);
  t.equal(
    createHash('sha256').update(bytes).digest('hex'),
    'af3fc652a23f59a9a2b62327f7f12aebda97812ef80ec46db33710d2430c0ad5',
  );
});

t.test('reads from the toy image what was written', async (t) => {
  const image = await readEif(await writeImage(t));
  t.same(hex({ ...image.measurements }), PCRS);
  t.equal(image.header.architecture, 'x86_64');
  t.equal(image.header.defaultMemBytes, 1_073_741_824n);
  t.equal(image.header.defaultCpus, 2n);
  t.equal(image.cmdline.toString(), 'reboot=k panic=30');
  t.equal(image.metadata.toString(), '{"ImageName":"t"}');
  t.equal(image.signature, undefined);
  t.same(
    image.sections.map(({ kind }) => kind),
    ['kernel', 'cmdline', 'metadata', 'ramdisk', 'ramdisk'],
  );
});

t.test('measures empty content as PCR2 when there is one ramdisk only', async (t) => {
  const path = await writeImage(t, { ...TOY, ramdisks: [[Buffer.from('RAMDISK0')]] });
  const { measurements } = await readEif(path);
  t.equal(measurements.pcr2.toString('hex'), EMPTY_PCR2);
  t.same(measurements.pcr0, measurements.pcr1);
});

t.test('measures the third ramdisk into PCR0 and PCR2', async (t) => {
  const [first, second] = TOY.ramdisks;
  const split = { ...TOY, ramdisks: [first!, [Buffer.from('RAM')], [Buffer.from('DISK1')]] };
  const { measurements } = await readEif(await writeImage(t, split));
  t.ok(second);
  t.same(hex({ ...measurements }), PCRS);
});

t.test('marks aarch64 in the flags', async (t) => {
  const path = await writeImage(t, {
    ...TOY,
    architecture: 'aarch64',
    defaultMemBytes: 5n,
    defaultCpus: 2n ** 64n - 1n,
  });
  t.equal(readFileSync(path).readUInt16BE(6), 1);
  const { header } = await readEif(path);
  t.match(header, { architecture: 'aarch64', defaultMemBytes: 5n, defaultCpus: 2n ** 64n - 1n });
});
