import { readFileSync } from 'node:fs';
import t from 'tap';
import { AcraError } from '../../../acra/errors.ts';
import { readElfFacts } from '../../../acra/obtain/elf.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { tinyElf } from '../support/fake-image.ts';

t.test('reads processor and interpreter of a program that runs here', async (t) => {
  const { architecture, interpreter } = readElfFacts(readFileSync(process.execPath));
  t.equal(architecture, process.arch);
  t.match(interpreter, /^\/lib.*ld-/);
});

t.test('tells a static program, and one for another processor', async (t) => {
  t.same(readElfFacts(tinyElf()), { architecture: process.arch, interpreter: undefined });
  t.equal(readElfFacts(tinyElf({ machine: 243 })).architecture, undefined);
  t.equal(readElfFacts(tinyElf({ interpreter: '/lib64/ld.so' })).interpreter, '/lib64/ld.so');
});

t.test('rejects what is no program, or is cut off (ACRA_IMAGE_INVALID)', async () => {
  const elf = tinyElf({ interpreter: '/lib64/ld.so' });
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('#!/bin/sh\n'),
    elf.subarray(0, 63),
    elf.subarray(0, 170),
    elf.subarray(0, -4),
  ]) {
    throwsCode(() => readElfFacts(bytes), AcraError, 'ACRA_IMAGE_INVALID');
  }
});
