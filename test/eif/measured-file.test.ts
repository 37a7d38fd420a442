/** What an image holds of one measured file: the kernel's last word, and nothing where there is none. */
import t from 'tap';
import type { CpioItem } from '../../eif/cpio/manifest.ts';
import { writeCpio } from '../../eif/cpio/writer.ts';
import { readEif } from '../../eif/format/reader.ts';
import { readMeasuredFile } from '../../eif/measured-file.ts';
import { TOY, writeImage } from './support/images.ts';

const directory = (name: string): CpioItem => ({ name, type: 'directory', mode: 0o755 });
const NAME = 'enclave/enclave.yaml';

async function ramdisk(text: string, folder = ''): Promise<Buffer[]> {
  const file: CpioItem = { name: `${folder}${NAME}`, type: 'file', mode: 0o644, source: { bytes: Buffer.from(text) } };
  const pieces: Buffer[] = [];
  for await (const piece of writeCpio([directory('rootfs'), directory(`${folder}enclave`), file], 'sorted'))
    pieces.push(Buffer.from(piece));
  return pieces;
}

async function read(ramdisks: Buffer[][], name = NAME): Promise<string | undefined> {
  const image = await readEif(await writeImage(t, { ...TOY, ramdisks }));
  return (await readMeasuredFile(image, name))?.toString();
}

t.test('reads a file from the ramdisk that the kernel unpacks last', async (t) => {
  const [first, second] = [await ramdisk('version: 1'), await ramdisk('version: 2')];
  t.equal(await read([first]), 'version: 1');
  t.equal(await read([first, second]), 'version: 2');
  t.equal(await read([await ramdisk('version: 3', 'rootfs/')]), 'version: 3', "for AWS' bootstrap");
  t.equal(await read([second, [Buffer.from('no archive')]]), 'version: 2');
});

t.test('reads nothing where there is no such file, no archive, or one that is too long', async (t) => {
  t.equal(await read([await ramdisk('x')], 'enclave'), undefined);
  t.equal(await read([[Buffer.from('no archive')]]), undefined);
  t.equal(await read([await ramdisk('x'.repeat(1024 * 1024 + 1))]), undefined);
});
