/** What the writer refuses, what it leaves behind when it fails, and how much memory a large image takes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { EifError } from '../../../eif/errors.ts';
import { writeEif } from '../../../eif/format/writer.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TOY, writeImage } from '../support/images.ts';

const MIB = 1_048_576;

t.test('rejects a NUL byte in the command line (EIF_CMDLINE_INVALID)', async (t) => {
  const path = join(temporaryFolder(t), 'image.eif');
  const content = { ...TOY, cmdline: Buffer.from('panic=30\0') };
  await rejectsCode(() => writeEif(path, content), EifError, 'EIF_CMDLINE_INVALID');
});

t.test('rejects sections over their limits (EIF_SECTION_TOO_LARGE)', async (t) => {
  const path = join(temporaryFolder(t), 'image.eif');
  for (const content of [
    { ...TOY, cmdline: Buffer.alloc(2049, 'x') },
    { ...TOY, metadata: Buffer.alloc(MIB + 1, ' ') },
    { ...TOY, sign: () => Buffer.alloc(32_769) },
  ]) {
    await rejectsCode(() => writeEif(path, content), EifError, 'EIF_SECTION_TOO_LARGE');
  }
});

t.test('rejects more sections than 32 (EIF_SECTION_COUNT)', async (t) => {
  const path = join(temporaryFolder(t), 'image.eif');
  const ramdisks = Array.from({ length: 30 }, () => [Buffer.from('x')]);
  await rejectsCode(() => writeEif(path, { ...TOY, ramdisks }), EifError, 'EIF_SECTION_COUNT');
  await writeEif(path, { ...TOY, ramdisks: ramdisks.slice(1) });
});

t.test('leaves neither a file nor a trace when a source fails', async (t) => {
  const folder = temporaryFolder(t);
  async function* broken() {
    yield Buffer.from('RAM');
    throw new Error('disk on fire');
  }
  await t.rejects(writeEif(join(folder, 'image.eif'), { ...TOY, ramdisks: [broken()] }), { message: 'disk on fire' });
  t.same(readdirSync(folder), []);
});

t.test('keeps an older file when the new one fails', async (t) => {
  const path = await writeImage(t);
  const before = readFileSync(path);
  const content = { ...TOY, kernel: [Buffer.from('OTHER')], cmdline: Buffer.alloc(2049, 'x') };
  await rejectsCode(() => writeEif(path, content), EifError, 'EIF_SECTION_TOO_LARGE');
  t.same(readFileSync(path), before);
  t.equal(readdirSync(dirname(path)).length, 1);
});

t.test('stops at the signal of its caller and leaves nothing', async (t) => {
  const folder = temporaryFolder(t);
  const controller = new AbortController();
  function* source() {
    yield Buffer.from('KER');
    controller.abort(new Error('enough'));
    yield Buffer.from('NEL');
  }
  const writing = writeEif(join(folder, 'image.eif'), { ...TOY, kernel: source() }, controller.signal);
  await t.rejects(writing, { message: 'enough' });
  t.same(readdirSync(folder), []);
});

t.test('rejects an output that cannot be written (EIF_FILE_WRITE)', async (t) => {
  const folder = temporaryFolder(t);
  await rejectsCode(() => writeEif(join(folder, 'missing', 'image.eif'), TOY), EifError, 'EIF_FILE_WRITE');
  writeFileSync(join(folder, 'file'), '');
  await rejectsCode(() => writeEif(join(folder, 'file', 'image.eif'), TOY), EifError, 'EIF_FILE_WRITE');
  mkdirSync(join(folder, 'folder'));
  await rejectsCode(() => writeEif(join(folder, 'folder'), TOY), EifError, 'EIF_FILE_WRITE');
  t.same(readdirSync(folder).sort(), ['file', 'folder']);
});

t.test('keeps the bytes of an image, however its sources cut them', async (t) => {
  const digest = async (piece: number) => {
    const whole = Buffer.alloc(100_000, 'RAMDISK');
    function* cut() {
      for (let start = 0; start < whole.length; start += piece) yield whole.subarray(start, start + piece);
    }
    const path = await writeImage(t, { ...TOY, kernel: cut(), ramdisks: [cut(), cut()] });
    return createHash('sha256').update(readFileSync(path)).digest('hex');
  };
  t.equal(await digest(100_000), await digest(999));
});

t.test('writes and reads an image of 200 MB with less than 150 MB of memory', async (t) => {
  const script = fileURLToPath(new URL('../support/large-image.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, join(temporaryFolder(t), 'large.eif')]);
  const { fileSize, peakBytes } = JSON.parse(stdout);
  t.ok(fileSize > 200_000_000);
  t.ok(peakBytes < 150_000_000, `peak of ${peakBytes} bytes`);
});
