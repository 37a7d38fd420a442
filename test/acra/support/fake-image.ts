/**
 * A stand-in for the registry: prepared images in the two forms that the tools leave behind, and a fake `skopeo` or
 * `docker` that copies one where it is told to.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ImageTool } from '../../../acra/obtain/fetch-image.ts';
import type { TarMember } from './tar-writer.ts';
import { makeTar } from './tar-writer.ts';

/** Machine code that exits with 7, by process.arch. */
const EXIT_7: Readonly<Record<string, { readonly machine: number; readonly code: string }>> = {
  // mov edi,7; mov eax,60; syscall
  x64: { machine: 62, code: 'bf07000000b83c0000000f05' },
  // mov x0,#7; mov x8,#93; svc #0
  arm64: { machine: 183, code: 'e00080d2a80b80d2010000d4' },
};

export interface ElfOptions {
  readonly interpreter?: string;
  readonly machine?: number;
}

/** A program of some 200 bytes; with an interpreter it is not meant to be run. */
export function tinyElf({ interpreter, machine }: ElfOptions = {}): Buffer {
  const { machine: own = 62, code = '' } = EXIT_7[process.arch] ?? {};
  const body = Buffer.concat([Buffer.from(code, 'hex'), Buffer.from(`${interpreter ?? ''}\0`)]);
  const entries = interpreter === undefined ? 1 : 2;
  const bodyAt = 64 + 56 * entries;
  const elf = Buffer.alloc(bodyAt + body.length);
  elf.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(machine ?? own, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(0x400000 + bodyAt), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(entries, 56);
  const segment = (at: number, type: number, flags: number, offset: number, length: number) => {
    elf.writeUInt32LE(type, at);
    elf.writeUInt32LE(flags, at + 4);
    elf.writeBigUInt64LE(BigInt(offset), at + 8);
    elf.writeBigUInt64LE(BigInt(0x400000 + offset), at + 16);
    elf.writeBigUInt64LE(BigInt(length), at + 32);
    elf.writeBigUInt64LE(BigInt(length), at + 40);
    elf.writeBigUInt64LE(0x1000n, at + 48);
  };
  segment(64, 1, 5, 0, elf.length);
  if (interpreter !== undefined) {
    segment(120, 3, 4, bodyAt + code.length / 2, interpreter.length + 1);
  }
  body.copy(elf, bodyAt);
  return elf;
}

const hexOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

function configOf(layers: readonly Buffer[]): Buffer {
  const diffIds = layers.map((layer) => `sha256:${hexOf(layer)}`);
  return Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: diffIds } }));
}

/** The files of a `dir:` image by name. */
export function directoryImage(layers: readonly (readonly TarMember[])[]): Map<string, Buffer> {
  const archives = layers.map(makeTar);
  const blobs = archives.map((archive) => gzipSync(archive));
  const config = configOf(archives);
  const manifest = {
    schemaVersion: 2,
    config: { digest: `sha256:${hexOf(config)}` },
    layers: blobs.map((blob) => ({ digest: `sha256:${hexOf(blob)}` })),
  };
  return new Map([
    ['manifest.json', Buffer.from(JSON.stringify(manifest))],
    [hexOf(config), config],
    ...blobs.map((blob): [string, Buffer] => [hexOf(blob), blob]),
  ]);
}

/** What `docker save` writes. */
export function archiveImage(layers: readonly (readonly TarMember[])[]): Buffer {
  const archives = layers.map(makeTar);
  const config = configOf(archives);
  const names = archives.map((archive) => `blobs/sha256/${hexOf(archive)}`);
  const manifest = [{ Config: `blobs/sha256/${hexOf(config)}`, RepoTags: [], Layers: names }];
  return makeTar([
    ...archives.map((content, index) => ({ path: names[index]!, content })),
    { path: `blobs/sha256/${hexOf(config)}`, content: config },
    { path: 'manifest.json', content: JSON.stringify(manifest) },
  ]);
}

function script(folder: string, name: ImageTool['name'], text: string): ImageTool {
  mkdirSync(folder, { recursive: true });
  const program = join(folder, name);
  writeFileSync(program, `#!/bin/sh\nset -e\n${text}\n`);
  chmodSync(program, 0o755);
  return { name, program };
}

/** Answers `skopeo copy --quiet docker://… dir:FOLDER` with the image, and keeps its arguments in `FOLDER/args`. */
export function fakeSkopeo(folder: string, image: ReadonlyMap<string, Buffer>): ImageTool {
  const prepared = join(folder, 'prepared');
  mkdirSync(prepared, { recursive: true });
  for (const [name, content] of image) writeFileSync(join(prepared, name), content);
  return script(folder, 'skopeo', `echo "$@" > '${folder}/args'\ncp -r '${prepared}' "\${4#dir:}"`);
}

/** Answers `docker pull` and `docker save --output FILE IMAGE`. */
export function fakeDocker(folder: string, archive: Buffer): ImageTool {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'prepared.tar'), archive);
  return script(folder, 'docker', `[ "$1" = pull ] || cp '${folder}/prepared.tar' "$3"`);
}

export function failingTool(folder: string, name: ImageTool['name']): ImageTool {
  return script(folder, name, 'echo "cannot reach the registry" >&2\nexit 5');
}

/** Never ends by itself. */
export function hangingTool(folder: string, name: ImageTool['name']): ImageTool {
  return script(folder, name, 'exec sleep 600');
}
