/** What the loader reads of ELF files, and files that lie about themselves. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EifBuildError } from '../../../eif/build-errors.ts';
import { readElf } from '../../../eif/rootfs/elf.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyElf } from './support/tiny-elf.ts';

function written(t: Test, bytes: Buffer): string {
  const path = join(temporaryFolder(t), 'program');
  writeFileSync(path, bytes);
  return path;
}

t.test('reads interpreter, needed libraries and search folders', async (t) => {
  const file = tinyElf({
    interpreter: '/lib64/loader',
    needed: ['liba.so.1', 'libb.so'],
    runpath: '$ORIGIN/lib:/opt/lib',
    unloaded: 100,
  });
  t.match(await readElf(written(t, file)), {
    machine: 62,
    interpreter: '/lib64/loader',
    needed: ['liba.so.1', 'libb.so'],
    runpath: ['$ORIGIN/lib', '/opt/lib'],
    rpath: [],
    loadedBytes: file.length - 100,
  });
});

t.test('reads the Node that runs this test', async (t) => {
  const { interpreter, needed } = await readElf(process.execPath);
  t.match(interpreter, /^\/lib.*\/ld-linux/);
  t.ok(needed.includes('libc.so.6'));
});

t.test('rejects what is no whole 64-bit ELF file (EIF_BUILD_ELF)', async (t) => {
  const whole = tinyElf({ interpreter: '/lib64/loader', needed: ['liba.so.1'] });
  const damaged: Record<string, Buffer> = {
    'a text': Buffer.from('#!/bin/sh\n'.repeat(20)),
    'an empty file': Buffer.alloc(0),
    '32 bits': Buffer.from(whole).fill(1, 4, 5),
    'cut in the program headers': whole.subarray(0, 100),
    'cut in the strings': whole.subarray(0, whole.length - 4),
    'a dynamic section of 2^63 bytes': Buffer.from(whole).fill(0x7f, 64 + 56 + 32, 64 + 56 + 40),
    'a program header table beyond the end': Buffer.from(whole).fill(0x7f, 32, 40),
  };
  for (const [name, bytes] of Object.entries(damaged)) {
    await t.resolves(
      rejectsCode(() => readElf(written(t, bytes)), EifBuildError, 'EIF_BUILD_ELF'),
      name,
    );
  }
});

t.test('rejects every cut of a file with its own code', async (t) => {
  const whole = tinyElf({ interpreter: '/lib64/loader', needed: ['liba.so.1'], rpath: '/opt' });
  const path = written(t, whole);
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    await rejectsCode(() => readElf(path), EifBuildError, 'EIF_BUILD_ELF');
  }
});
