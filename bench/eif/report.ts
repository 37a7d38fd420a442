/** Rows for docs/performance.md: what an image weighs, and its largest files. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurements } from '../../eif/image/measurements.ts';

interface Part {
  readonly name: string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
  readonly components?: readonly Part[];
}

const LARGEST = 10;

export function readJson<Result>(folder: string, name: string): Result {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result;
}

function bytesOf({ properties = [] }: Part): number {
  return Number(properties.find(({ name }) => name === 'acra-enclave:bytes')?.value ?? 0);
}

/** @param folder with measurements.json and bom.json */
export function printSizes(folder: string): void {
  const { image, ramdisks } = readJson<Measurements>(folder, 'measurements.json');
  const { components } = readJson<{ components: readonly Part[] }>(folder, 'bom.json');
  const files = components.flatMap(({ components: nested = [] }) => nested);
  const unpacked = files.reduce((sum, file) => sum + bytesOf(file), 0);
  console.log(`| image | ${image.bytes} bytes |`);
  for (const { role, bytes } of ramdisks) console.log(`| ramdisk ${role} | ${bytes} bytes |`);
  console.log(`| unpacked | ${unpacked} bytes in ${files.length} files |\n`);
  for (const file of files.toSorted((a, b) => bytesOf(b) - bytesOf(a)).slice(0, LARGEST)) {
    console.log(`| \`${file.name}\` | ${bytesOf(file)} |`);
  }
}
