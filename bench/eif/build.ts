/**
 * What building an image costs and where its bytes are: `node bench/eif/build.ts ENCLAVE_FOLDER [build options]` builds one
 * in a temporary folder and prints time, peak memory, sizes and the ten largest files, as rows for docs/performance.md.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepHeapSmall } from '../../cli/eif/small-heap.ts';

interface Property {
  readonly name: string;
  readonly value: string;
}

interface Part {
  readonly name: string;
  readonly properties?: readonly Property[];
  readonly components?: readonly Part[];
}

const LARGEST = 10;

function bytesOf({ properties = [] }: Part): number {
  return Number(properties.find(({ name }) => name === 'acra-enclave:bytes')?.value ?? 0);
}

function printResults(folder: string, seconds: number): void {
  const bill = JSON.parse(readFileSync(join(folder, 'bom.json'), 'utf8')) as { components: readonly Part[] };
  const measured = JSON.parse(readFileSync(join(folder, 'measurements.json'), 'utf8')) as {
    image: { bytes: number };
    ramdisks: readonly { role: string; bytes: number }[];
  };
  const files = bill.components.flatMap(({ components = [] }) => components);
  const unpacked = files.reduce((sum, file) => sum + bytesOf(file), 0);
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  console.log(`\n| image | ${measured.image.bytes} bytes |`);
  for (const { role, bytes } of measured.ramdisks) console.log(`| ramdisk ${role} | ${bytes} bytes |`);
  console.log(`| unpacked | ${unpacked} bytes in ${files.length} files |`);
  console.log(`| time | ${seconds.toFixed(1)} s, ${((userCPUTime + systemCPUTime) / 1e6).toFixed(1)} s of CPU |`);
  console.log(`| peak memory | ${((maxRSS * 1024) / 1e6).toFixed(0)} MB |\n`);
  for (const file of files.toSorted((a, b) => bytesOf(b) - bytesOf(a)).slice(0, LARGEST)) {
    console.log(`| \`${file.name}\` | ${bytesOf(file)} |`);
  }
}

const [enclave, ...flags] = process.argv.slice(2);
if (enclave === undefined)
  throw new Error('usage: node bench/eif/build.ts ENCLAVE_FOLDER [--recipe FILE] [--allow-stand-in]');
const recipe = flags.includes('--recipe') ? flags[flags.indexOf('--recipe') + 1] : undefined;
keepHeapSmall();
const { build } = await import('../../cli/eif/build.ts');
const output = mkdtempSync(join(tmpdir(), 'acra-enclave-bench-'));
try {
  const start = performance.now();
  const allowStandIn = flags.includes('--allow-stand-in');
  await build({ enclave, output, allowStandIn, ...(recipe === undefined ? {} : { recipe }) });
  printResults(output, (performance.now() - start) / 1000);
} finally {
  rmSync(output, { recursive: true, force: true });
}
