/** Compression of ramdisks: same bytes whoever builds, and no way out for errors but our own. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Compression, compress, decompress, detectCompression } from '../../eif/compress.ts';
import { CpioError } from '../../eif/errors.ts';
import { rejectsCode } from '../support/coded-error.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { collect, cut } from './support/bytes.ts';
import { vector } from './support/vectors.ts';

const KINDS: readonly Compression[] = ['none', 'gzip', 'zstd'];
const fast = (kind: Compression) => (kind === 'zstd' ? { zstd: 3 } : kind);
const archive = readFileSync(vector('linuxkit-mixed.cpio'));
const bytes = Buffer.concat([Buffer.alloc(700_000, 'ramdisk'), seededRandom('ramdisk').bytes(100_000)]);

for (const kind of KINDS) {
  t.test(`keeps the bytes through ${kind} and back`, async (t) => {
    const packed = await collect(compress(cut(archive, 100), kind));
    t.equal(detectCompression(packed), kind);
    t.same(await collect(decompress([packed], kind)), archive);
  });

  t.test(`keeps the output of ${kind} the same however the source cuts its pieces`, async (t) => {
    const whole = await collect(compress([bytes], fast(kind)));
    for (const length of [777, 65_536, 262_144]) t.same(await collect(compress(cut(bytes, length), fast(kind))), whole);
    const withEmpty = [
      Buffer.alloc(0),
      bytes.subarray(0, 131_072),
      Buffer.alloc(0),
      bytes.subarray(131_072),
      Buffer.alloc(0),
    ];
    t.same(await collect(compress(withEmpty, fast(kind))), whole);
  });
}

t.test('writes gzip without time, name or platform', async (t) => {
  const packed = await collect(compress([archive], 'gzip'));
  t.equal(packed.toString('hex', 0, 10), '1f8b0800000000000203');
});

t.test('writes zstd with an 8 MiB window and neither size nor checksum', async (t) => {
  const packed = await collect(compress([archive], 'zstd'));
  t.equal(packed.toString('hex', 0, 6), '28b52ffd0068');
});

t.test('passes an error of the source on', async (t) => {
  async function* broken() {
    yield bytes;
    throw new Error('disk on fire');
  }
  for (const kind of KINDS) await t.rejects(collect(compress(broken(), kind)), { message: 'disk on fire' });
});

t.test('ends its source when the reader stops early', async (t) => {
  let isEnded = false;
  const piece = seededRandom('endless').bytes(300_000);
  async function* source() {
    try {
      for (;;) yield piece;
    } finally {
      isEnded = true;
    }
  }
  for await (const _piece of compress(source(), 'gzip')) break;
  t.ok(isEnded);
});

t.test('rejects compressed data that is damaged or cut off (CPIO_COMPRESSION)', async () => {
  for (const kind of ['gzip', 'zstd'] as const) {
    const packed = await collect(compress([bytes], fast(kind)));
    const damaged = Buffer.from(packed);
    damaged.fill(0xff, 4, 12);
    for (const wrong of [damaged, packed.subarray(0, -50)]) {
      await rejectsCode(() => collect(decompress([wrong], kind)), CpioError, 'CPIO_COMPRESSION');
    }
  }
});
