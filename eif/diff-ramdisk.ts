/** Compares ramdisks entry by entry, compressed or not; those that hold no cpio archive are compared as bytes. */
import { createHash } from 'node:crypto';
import { type Compression, decompress, detectCompression } from './compress.ts';
import { type CpioEntry, readCpio } from './cpio/reader.ts';
import { compareFields, type Difference, type Fields } from './difference.ts';
import { CpioError } from './errors.ts';
import { sectionData } from './format/reader.ts';
import type { EifSection } from './format/section.ts';
import { type InputFile, readRange } from './input-file.ts';

/** The ramdisk sections of one image. */
interface Ramdisks {
  readonly file: InputFile;
  readonly sections: readonly EifSection[];
}

const MAGIC_BYTES = 4;

export async function diffRamdisks(a: Ramdisks, b: Ramdisks): Promise<readonly Difference[]> {
  const differences: Difference[] = [];
  for (let index = 0; index < Math.max(a.sections.length, b.sections.length); index++) {
    differences.push(...(await diffRamdisk(`ramdisk ${index}`, at(a, index), at(b, index))));
  }
  return differences;
}

interface Ramdisk {
  readonly file: InputFile;
  readonly data: EifSection;
}

function at({ file, sections }: Ramdisks, index: number): Ramdisk | undefined {
  const data = sections[index];
  return data === undefined ? undefined : { file, data };
}

async function diffRamdisk(
  section: string,
  a: Ramdisk | undefined,
  b: Ramdisk | undefined,
): Promise<readonly Difference[]> {
  const [fieldsA, fieldsB] = [await byteFields(a), await byteFields(b)];
  const bytes = compareFields({ section }, fieldsA, fieldsB);
  if (bytes.length === 0 || a === undefined || b === undefined) return bytes;
  const [entriesA, entriesB] = [await listEntries(a), await listEntries(b)];
  if (entriesA === undefined || entriesB === undefined) return bytes;
  const names = [...new Set([...entriesA.keys(), ...entriesB.keys()])];
  const entries = names.flatMap((entry) =>
    compareFields({ section, entry }, entriesA.get(entry) ?? {}, entriesB.get(entry) ?? {}),
  );
  return [...bytes, ...entries];
}

async function byteFields(ramdisk: Ramdisk | undefined): Promise<Fields> {
  if (ramdisk === undefined) return {};
  const hash = createHash('sha256');
  for await (const chunk of sectionData(ramdisk.file, ramdisk.data)) hash.update(chunk);
  return { size: String(ramdisk.data.size), sha256: hash.digest('hex'), compression: await compressionOf(ramdisk) };
}

async function compressionOf({ file, data }: Ramdisk): Promise<Compression> {
  return detectCompression(await readRange(file, data.dataOffset, Math.min(MAGIC_BYTES, data.size)));
}

/** @returns undefined when the ramdisk holds no archive that can be read. */
async function listEntries(ramdisk: Ramdisk): Promise<ReadonlyMap<string, Fields> | undefined> {
  const entries = new Map<string, Fields>();
  const archive = decompress(sectionData(ramdisk.file, ramdisk.data), await compressionOf(ramdisk));
  try {
    for await (const entry of readCpio(archive)) entries.set(entry.name, entryFields(entry));
  } catch (error) {
    if (error instanceof CpioError) return undefined;
    throw error;
  }
  return entries;
}

function entryFields({ type, mode, header, target, sha256 }: CpioEntry): Fields {
  const { uid, gid, mtimeS, size, nodeMajor, nodeMinor } = header;
  return {
    type,
    mode: `0${mode.toString(8)}`,
    owner: `${uid}:${gid}`,
    mtime: new Date(mtimeS * 1000).toISOString(),
    size: String(size),
    sha256,
    target,
    device: type === 'character' || type === 'block' ? `${nodeMajor}:${nodeMinor}` : undefined,
  };
}
