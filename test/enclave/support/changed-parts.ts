/** Copies of what an image is made from, with one byte changed where nothing looks that runs before KMS is asked. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageRequest } from '../../../eif/image/build-image.ts';

type Kernel = ImageRequest['kernel'];
type AcraServer = NonNullable<ImageRequest['acraServer']>;

/** Linux, Documentation/arch/x86/boot.rst: `kernel_version` points to a text for people, counted from the second sector. */
const VERSION_POINTER = 0x20e;
const SECTOR_BYTES = 0x200;
/** ELF gABI, "ELF Identification": the last byte of e_ident is padding. */
const ELF_PADDING = 15;

/** The letter that begins the kernel's version text is another one. */
export function changedKernel(kernel: Kernel, folder: string): Kernel {
  const bytes = readFileSync(kernel.path);
  flipBit(bytes, SECTOR_BYTES + bytes.readUInt16LE(VERSION_POINTER));
  const path = join(folder, 'changed-kernel');
  writeFileSync(path, bytes);
  return { ...kernel, path };
}

/** Only of a program of its own; the stand-in is exchanged by its source file. */
export function changedAcraServer(source: AcraServer, folder: string): AcraServer {
  const bytes = readFileSync(source.leadingArguments.at(-1) ?? source.program);
  flipBit(bytes, ELF_PADDING);
  const path = join(folder, 'changed-acra-server');
  writeFileSync(path, bytes, { mode: 0o755 });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return source.leadingArguments.length === 0
    ? { ...source, program: path, sha256 }
    : { ...source, leadingArguments: [...source.leadingArguments.slice(0, -1), path], sha256 };
}

function flipBit(bytes: Buffer, offset: number): void {
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
}
