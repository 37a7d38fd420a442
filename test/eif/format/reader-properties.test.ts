/** Whatever is done to an image, the reader accepts it or refuses it with a code of its own; damage is never accepted. */
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { CpioError, EifError } from '../../../eif/errors.ts';
import { readEif } from '../../../eif/format/reader.ts';
import { verifyImage } from '../../../eif/verify.ts';
import { repairCrc, writeBytes, writeImage, writeSignedImage } from '../support/images.ts';
import { NOW_MS } from '../support/vectors.ts';

const SEED = 20_260_104;

async function outcome(run: () => Promise<unknown>): Promise<'accepted' | 'refused'> {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    if (error instanceof EifError || error instanceof CpioError) return 'refused';
    throw error;
  }
}

t.test('rejects every single-bit flip of the toy image', async (t) => {
  const path = await writeImage(t);
  const image = readFileSync(path);
  const accepted: number[] = [];
  const file = openSync(path, 'r+');
  t.teardown(() => closeSync(file));
  for (let bit = 0; bit < image.length * 8; bit++) {
    const byte = Math.floor(bit / 8);
    writeSync(
      file,
      [image[byte]! ^ (1 << (bit % 8))].map((value) => String.fromCharCode(value)).join(''),
      byte,
      'latin1',
    );
    if ((await outcome(() => readEif(path))) === 'accepted') accepted.push(bit);
    writeSync(file, image, byte, 1, byte);
  }
  t.same(accepted, []);
  t.equal(await outcome(() => readEif(path)), 'accepted', 'the undamaged image');
});

t.test('rejects every truncation of the toy image', async (t) => {
  const path = await writeImage(t);
  const { length } = readFileSync(path);
  const file = openSync(path, 'r+');
  t.teardown(() => closeSync(file));
  for (let size = length - 1; size >= 0; size--) {
    ftruncateSync(file, size);
    if ((await outcome(() => readEif(path))) === 'accepted') t.fail(`cut to ${size} bytes`);
  }
});

t.test('rejects single-bit flips and truncations of a signed image', async (t) => {
  const image = readFileSync(await writeSignedImage(t, 'es384'));
  const path = writeBytes(t, image);
  const flip = fc.nat(image.length * 8 - 1).map((bit) => {
    const damaged = Buffer.from(image);
    damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return damaged;
  });
  const cut = fc.nat(image.length - 1).map((length) => image.subarray(0, length));
  await fc.assert(
    fc.asyncProperty(fc.oneof(flip, cut), async (damaged) => {
      writeFileSync(path, damaged);
      return (await outcome(() => readEif(path))) === 'refused';
    }),
    { seed: SEED, numRuns: 1500 },
  );
});

t.test('keeps to its own codes when the checksum of a damaged image is right', async (t) => {
  const image = readFileSync(await writeSignedImage(t, 'es256'));
  const path = writeBytes(t, image);
  const edit = fc.record({ at: fc.nat(image.length - 1), bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      const damaged = Buffer.from(image);
      for (const { at, bytes } of edits) damaged.set(bytes.subarray(0, image.length - at), at);
      writeFileSync(path, repairCrc(damaged));
      await outcome(() => verifyImage(path, NOW_MS));
    }),
    { seed: SEED, numRuns: 1000 },
  );
});
