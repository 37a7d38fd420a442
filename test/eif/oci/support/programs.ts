/** Small programs of an image: ELF files that are never run, and what the kernel needs to find them. */
import type { ProgramOfImage } from '../../../../eif/oci/programs/find-program.ts';
import { type TinyElf, tinyElf } from '../../rootfs/support/tiny-elf.ts';
import type { TestEntry } from './tar.ts';

const MACHINE = process.arch === 'arm64' ? 183 : 62;
export const LOADER = '/lib64/ld-test.so.2';

export const elf = (name: string, changes: TinyElf = {}, mode = 0o755): TestEntry => ({
  name,
  mode,
  bytes: tinyElf({ machine: MACHINE, ...changes }),
});
export const file = (name: string, text = '', mode = 0o644): TestEntry => ({ name, text, mode });
export const script = (name: string, text: string): TestEntry => ({ name, text, mode: 0o755 });
export const symlink = (name: string, target: string): TestEntry => ({ name, type: '2', target });

export function program(changes: Partial<ProgramOfImage> = {}): ProgramOfImage {
  const user = { uid: 1_000, gid: 1_000 };
  return { name: 'app', command: ['/bin/app'], user, environment: {}, workingFolder: '/', ...changes };
}
