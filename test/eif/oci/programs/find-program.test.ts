/** What the kernel would run for a command of enclave.yaml, and what it would refuse. */
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { findProgram, type ProgramOfImage } from '../../../../eif/oci/programs/find-program.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { ARCHITECTURE } from '../support/layout.ts';
import { elf, file, LOADER, program, script, symlink } from '../support/programs.ts';
import type { TestEntry } from '../support/tar.ts';
import { filesOf } from '../support/tree.ts';

interface Test {
  teardown(fn: () => void): void;
}

async function pathsOf(t: Test, entries: readonly TestEntry[], changes: Partial<ProgramOfImage>) {
  const found = await findProgram(await filesOf(t, entries), program(changes), ARCHITECTURE);
  return found.files.map(({ path }) => path);
}

t.test('finds a program by PATH, past what may not be executed, and through links', async (t) => {
  const entries = [
    file('opt/first/app', 'no program'),
    symlink('opt/second/app', '../real/app-1'),
    elf('opt/real/app-1'),
    symlink('bin', 'usr/bin'),
    elf('usr/bin/app'),
  ];
  const environment = { PATH: '/opt/first:/opt/second' };
  t.same(await pathsOf(t, entries, { command: ['app'], environment }), ['opt/real/app-1']);
  t.same(await pathsOf(t, entries, { command: ['app'] }), ['usr/bin/app']);
  t.same(await pathsOf(t, entries, { command: ['./app'], workingFolder: '/bin' }), ['usr/bin/app']);
});

t.test('follows #! lines and env to the file that does the work', async (t) => {
  const entries = [
    script('app/run', '#!/usr/bin/env -S python3 -u\n'),
    elf('usr/bin/env'),
    symlink('usr/bin/python3', 'python3.11'),
    elf('usr/bin/python3.11', { interpreter: LOADER }),
    elf(LOADER.slice(1)),
    script('app/outer', '#! /app/run\n'),
  ];
  t.same(await pathsOf(t, entries, { command: ['/app/run'] }), ['app/run', 'usr/bin/python3.11']);
  t.same(await pathsOf(t, entries, { command: ['/app/outer'] }), ['app/outer', 'app/run', 'usr/bin/python3.11']);
});

const SHUT: TestEntry = { name: 'root/', type: '5', mode: 0o700 };
const REFUSED: readonly (readonly [string, readonly TestEntry[], Partial<ProgramOfImage>])[] = [
  ['that is not there', [file('bin/other')], {}],
  ['that is in no folder of PATH', [elf('srv/app')], { command: ['app'] }],
  ['that is a folder', [file('bin/app/x')], {}],
  ['that its user may not execute', [elf('bin/app', {}, 0o700)], {}],
  ['that nobody may execute', [elf('bin/app', {}, 0o644)], { user: { uid: 0, gid: 0 } }],
  ['that is neither ELF nor script', [script('bin/app', 'echo\n')], {}],
  ['whose interpreter is not there', [script('bin/app', '#!/bin/sh\n')], {}],
  ['whose env is not there', [script('bin/app', '#!/usr/bin/env sh\n'), elf('bin/sh')], {}],
  ['that is a script of itself', [script('bin/app', '#!/bin/app\n')], {}],
  ['for another processor', [elf('bin/app', { machine: 243 })], {}],
  ['whose loader is not there', [elf('bin/app', { interpreter: LOADER })], {}],
  ['below which the enclave mounts', [elf('tmp/app')], { command: ['/tmp/app'] }],
  ['that is a link to below what the enclave mounts', [elf('run/app'), symlink('bin/app', '/run/app')], {}],
  ['in a folder that its user may not enter', [SHUT, elf('root/app')], { command: ['/root/app'] }],
  [
    'in a folder of somebody else that root without capabilities may not enter',
    [{ name: 'srv/', type: '5', mode: 0o700, uid: 1_000 }, elf('srv/app')],
    { command: ['/srv/app'], user: { uid: 0, gid: 0 } },
  ],
  [
    'of somebody else that root without capabilities may not execute',
    [{ ...elf('bin/app', {}, 0o700), uid: 1_000 }],
    { user: { uid: 0, gid: 0 } },
  ],
  [
    'behind a link through a folder that its user may not enter',
    [SHUT, symlink('root/there', '/bin/app'), elf('bin/app')],
    { command: ['/root/there'] },
  ],
  ['whose working folder its user may not enter', [SHUT, elf('bin/app')], { workingFolder: '/root' }],
  ['whose working folder the enclave mounts over', [file('run/app/x'), elf('bin/app')], { workingFolder: '/run/app' }],
  ['whose working folder is not there', [elf('bin/app')], { workingFolder: '/srv' }],
];

for (const [what, entries, changes] of REFUSED) {
  t.test(`rejects a program ${what} (EIF_OCI_PROGRAM)`, async (t) => {
    const error = await rejectsCode(() => pathsOf(t, entries, changes), OciError, 'EIF_OCI_PROGRAM');
    t.match(error.message, /^program app /);
  });
}

t.test('takes what root may enter, and working folders that the enclave makes', async (t) => {
  const user = { uid: 0, gid: 0 };
  const entries = [SHUT, elf('root/app'), file('dev/shm/x'), file('tmp/x')];
  for (const workingFolder of ['/root', '/tmp', '/dev/shm'])
    t.same(await pathsOf(t, entries, { command: ['/root/app'], user, workingFolder }), ['root/app']);
});

t.test('lets a user execute what is his or his group’s', async (t) => {
  const own = { ...elf('bin/app', {}, 0o500), uid: 1_000 };
  const group = { ...elf('bin/app', {}, 0o050), gid: 1_000 };
  for (const entry of [own, group]) t.same(await pathsOf(t, [entry], {}), ['bin/app']);
  const notHis = { ...elf('bin/app', {}, 0o055), uid: 1_000 };
  await rejectsCode(() => pathsOf(t, [notHis], {}), OciError, 'EIF_OCI_PROGRAM');
});
