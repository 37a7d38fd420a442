/** What an image says of itself, and whether its enclave's memory is enough for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { buildEnclaveImage } from '../../../eif/image/build-image.ts';
import { readImageFacts } from '../../../eif/image-facts.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { requestIn } from './support/build.ts';

const certificateEnds = [{ certificate: 'server', subject: 'CN=server', endsMs: 1_800_000_000_000 }] as const;
const folder = temporaryFolder(t);
const told: string[] = [];
const request = await requestIn(folder, { certificateEnds, onProgress: (step) => told.push(step) });
const { image } = await buildEnclaveImage(request);
const bytes = readFileSync(join(folder, 'build', image.file));

t.test('tells in its metadata how large it is unpacked and when its certificates end', async (t) => {
  const facts = readImageFacts((offset, length) => bytes.subarray(offset, offset + length), bytes.length);
  t.same(facts, { unpackedBytes: image.unpackedBytes, certificateEnds });
  t.ok(image.unpackedBytes > 100_000_000, 'Node alone is larger');
  t.equal(image.unpackedBytes % 4096, 0, 'whole pages');
});

t.test('gives the facts or nothing when its beginning was changed, and never fails', async (t) => {
  const facts = JSON.stringify({ unpackedBytes: image.unpackedBytes, certificateEnds });
  const seen = new Set<string>();
  for (let at = 0; at < 2_000; at++) {
    const read = (offset: number, length: number) => {
      const range = Buffer.from(bytes.subarray(offset, offset + length));
      if (at >= offset && at < offset + length) range[at - offset]! ^= 0x80;
      return range;
    };
    seen.add(JSON.stringify(readImageFacts(read, bytes.length)) ?? 'nothing');
  }
  t.ok(seen.has('nothing') && seen.has(facts));
  t.equal(
    readImageFacts(() => undefined, bytes.length),
    undefined,
    'nothing can be read',
  );
  t.equal(
    readImageFacts((offset) => bytes.subarray(offset, offset + 1), bytes.length),
    undefined,
    'reads are short',
  );
});

t.test(
  'refuses to build when it would take more than half of the memory, and warns above 40 % (EIF_BUILD_MEMORY)',
  async (t) => {
    t.notMatch(told.join('\n'), 'warning');
    const halfMiB = Math.ceil((image.unpackedBytes * 2) / 1024 / 1024);
    const small = { ...request, outputFolder: join(folder, 'small') };
    const build = () => buildEnclaveImage({ ...small, memoryMiB: halfMiB - 1 });
    const error = await rejectsCode(build, EifBuildError, 'EIF_BUILD_MEMORY');
    t.match(error.allowed, `${halfMiB} MiB at least`);
    await buildEnclaveImage({ ...small, memoryMiB: halfMiB });
    t.match(told.join('\n'), /warning: the root file system takes .* of \d+ MiB/);
  },
);
