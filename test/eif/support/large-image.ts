/** Writes and reads back an image of 200 MB in a process of its own, and prints what that took. */
import { readEif } from '../../../eif/format/reader.ts';
import { writeEif } from '../../../eif/format/writer.ts';
import { TOY } from './images.ts';

const BLOCK = Buffer.alloc(262_144, 'ramdisk');
const BLOCKS = 800;

function* ramdisk() {
  for (let index = 0; index < BLOCKS; index++) yield BLOCK;
}

const [path] = process.argv.slice(2);
const { fileSize } = await writeEif(path!, { ...TOY, ramdisks: [[BLOCK], ramdisk()] });
await readEif(path!);
console.log(JSON.stringify({ fileSize, peakBytes: process.resourceUsage().maxRSS * 1024 }));
