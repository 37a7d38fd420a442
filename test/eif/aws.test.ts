/** Images that AWS's own library wrote: the same bytes as ours where nothing is random, accepted where something is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildImage } from '../../eif/build.ts';
import { parseMetadata } from '../../eif/format/metadata.ts';
import { readEif } from '../../eif/format/reader.ts';
import { parseSignatureSection } from '../../eif/format/signature.ts';
import { parseImageSignature } from '../../eif/sign/signature.ts';
import { attachSignature } from '../../eif/sign/two-step.ts';
import { verifyImage } from '../../eif/verify.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { chainOf, NOW_MS, SIGNERS, vector } from './support/vectors.ts';

/** As AWS's library computed it. */
const PCR8_OF_ES384 =
  '2abe18dd833fee246d77fa805e12464a748ac1d5f3e0553f3e77fda945bbd4f760e2ff5376eff61fd28295b571f186ea';

t.test("builds the unsigned image of AWS's library to the bit", async (t) => {
  const output = join(temporaryFolder(t), 'image.eif');
  await buildImage({
    output,
    architecture: 'x86_64',
    kernel: [Buffer.from('KERNEL')],
    cmdline: 'reboot=k panic=30\n',
    metadata: parseMetadata(readFileSync(vector('metadata.json'))),
    ramdisks: [[Buffer.from('RAMDISK0')], [Buffer.from('RAMDISK1')]],
    signer: 'unsigned',
  });
  t.same(readFileSync(output), readFileSync(vector('aws-unsigned.eif')));
});

for (const name of SIGNERS) {
  t.test(`accepts an image that AWS's library signed with ${name}, and signs to the same bytes`, async (t) => {
    const path = vector(`aws-${name}.eif`);
    const report = await verifyImage(path, NOW_MS);
    t.ok(report.isValid);
    t.equal(report.signature?.algorithm.name, name.toUpperCase());
    if (name === 'es384') t.equal(report.pcrs.PCR8, PCR8_OF_ES384);
    const { signature } = parseImageSignature(parseSignatureSection((await readEif(path)).signature!).coseSign1);
    const output = join(temporaryFolder(t), 'image.eif');
    const request = { input: vector('aws-unsigned.eif'), output, chain: await chainOf(name), nowMs: NOW_MS };
    await attachSignature(request, signature);
    t.same(readFileSync(output), readFileSync(path));
  });
}
