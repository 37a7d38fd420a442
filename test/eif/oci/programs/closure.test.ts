/** What programs need of an image, and where that cannot be told. */
import t from 'tap';
import { OciError } from '../../../../eif/oci/errors.ts';
import { type ClosureOptions, closureOf } from '../../../../eif/oci/programs/closure.ts';
import { rejectsCode } from '../../../support/coded-error.ts';
import { ARCHITECTURE } from '../support/layout.ts';
import { elf, file, LOADER, program, script, symlink } from '../support/programs.ts';
import type { TestEntry } from '../support/tar.ts';
import { filesOf } from '../support/tree.ts';

interface Test {
  teardown(fn: () => void): void;
}

async function closure(t: Test, entries: readonly TestEntry[], changes: Partial<ClosureOptions> = {}) {
  const options = { programs: [program()], architecture: ARCHITECTURE, keep: [], ...changes } as const;
  return closureOf(await filesOf(t, entries), options);
}

async function pathsOf(...given: Parameters<typeof closure>): Promise<readonly string[]> {
  return (await closure(...given)).nodes.map(({ path }) => path);
}

const loader = elf(LOADER.slice(1));

t.test('takes program, loader and libraries, with the links and folders on the way', async (t) => {
  const entries = [
    symlink('lib', 'usr/lib'),
    elf('bin/app', { interpreter: LOADER, needed: ['liba.so.1'] }),
    loader,
    symlink('usr/lib/liba.so.1', 'liba.so.1.2'),
    elf('usr/lib/liba.so.1.2', { needed: ['libb.so'] }),
    elf('usr/lib/libb.so'),
    elf('usr/lib/libc.so'),
    file('usr/share/doc/readme'),
  ];
  t.same(await pathsOf(t, entries), [
    'bin',
    'bin/app',
    'lib',
    'lib64',
    'lib64/ld-test.so.2',
    'usr',
    'usr/lib',
    'usr/lib/liba.so.1',
    'usr/lib/liba.so.1.2',
    'usr/lib/libb.so',
  ]);
});

t.test(
  'looks where the loader would: LD_LIBRARY_PATH, runpath with $ORIGIN, ld.so.conf, then its own folders',
  async (t) => {
    const entries = [
      elf('opt/app/bin/app', { interpreter: LOADER, needed: ['a.so', 'b.so', 'c.so'], runpath: '$ORIGIN/../lib' }),
      loader,
      elf('opt/first/a.so'),
      elf('opt/app/lib/a.so'),
      elf('opt/app/lib/b.so'),
      elf('srv/libs/b.so'),
      elf('srv/libs/c.so'),
      elf('usr/lib/c.so'),
      file('etc/ld.so.conf', 'include /etc/ld.so.conf.d/*.conf\n'),
      file('etc/ld.so.conf.d/x.conf', '/srv/libs\n'),
    ];
    const environment = { LD_LIBRARY_PATH: '/opt/first' };
    const paths = await pathsOf(t, entries, { programs: [program({ command: ['/opt/app/bin/app'], environment })] });
    t.same(
      paths.filter((path) => path.endsWith('.so')),
      ['opt/app/lib/b.so', 'opt/first/a.so', 'srv/libs/c.so'],
    );
  },
);

t.test('follows the rules of musl where the loader is musl’s', async (t) => {
  const interpreter = '/lib/ld-musl-x86_64.so.1';
  const entries = [
    elf('bin/app', { interpreter, needed: ['libc.musl-x86_64.so.1', 'libz.so'] }),
    elf(interpreter.slice(1)),
    symlink('lib/libc.musl-x86_64.so.1', 'ld-musl-x86_64.so.1'),
    elf('srv/lib/libz.so'),
    elf('usr/lib/libz.so'),
    file('etc/ld-musl-x86_64.path', '/lib\n/srv/lib\n'),
  ];
  const paths = await pathsOf(t, entries);
  t.ok(paths.includes('srv/lib/libz.so') && paths.includes('etc/ld-musl-x86_64.path'));
  t.notOk(paths.includes('usr/lib/libz.so'));
});

t.test(
  'finds with musl what libraries need where the program’s RUNPATH leads, and knows the loader by any name',
  async (t) => {
    const interpreter = '/lib/ld-musl-x86_64.so.1';
    const entries = [
      elf('srv/app', { interpreter, needed: ['liba.so'], runpath: '$ORIGIN/lib' }),
      elf(interpreter.slice(1)),
      elf('srv/lib/liba.so', { needed: ['libb.so', 'libc.musl-x86_64.so.1'] }),
      elf('srv/lib/libb.so', { needed: ['libc.so', 'libz.so'] }),
      elf('opt/libz.so'),
      elf('lib/libb.so'),
      file('etc/ld-musl-x86_64.path', '/lib:/opt'),
    ];
    const paths = await pathsOf(t, entries, { programs: [program({ command: ['/srv/app'] })] });
    t.same(
      paths.filter((path) => /lib[abz]\.so$/.test(path)),
      ['opt/libz.so', 'srv/lib/liba.so', 'srv/lib/libb.so'],
    );
  },
);

t.test('takes what the C library opens by itself, where it is', async (t) => {
  const entries = [
    elf('bin/app', { interpreter: LOADER, needed: ['libc.so.6'] }),
    loader,
    elf('usr/lib/libc.so.6'),
    elf('usr/lib/libnss_dns.so.2', { needed: ['libresolv.so.2'] }),
    elf('usr/lib/libresolv.so.2'),
    elf('usr/lib/libnss_ldap.so.2'),
    file('etc/passwd'),
    file('etc/group'),
    file('etc/nsswitch.conf'),
    symlink('etc/ssl/certs/a.pem', '/usr/share/certificates/a.crt'),
    file('usr/share/certificates/a.crt'),
    file('etc/shadow'),
  ];
  const paths = await pathsOf(t, entries);
  for (const path of ['etc/passwd', 'etc/group', 'etc/nsswitch.conf', 'etc/ssl/certs/a.pem'])
    t.ok(paths.includes(path), path);
  t.ok(paths.includes('usr/share/certificates/a.crt'), 'what a certificate is a link to');
  t.ok(paths.includes('usr/lib/libnss_dns.so.2') && paths.includes('usr/lib/libresolv.so.2'));
  t.notOk(paths.includes('usr/lib/libnss_ldap.so.2') || paths.includes('etc/shadow'));
});

t.test('rejects a program whose library is nowhere, or for another processor only (EIF_OCI_CLOSURE)', async (t) => {
  const entries = [
    elf('bin/app', { interpreter: LOADER, needed: ['a.so'] }),
    loader,
    elf('lib/a.so', { machine: 243 }),
  ];
  const error = await rejectsCode(() => closure(t, entries), OciError, 'EIF_OCI_CLOSURE');
  t.match(error.found, /a\.so, needed by \/bin\/app/);
});

t.test(
  'rejects scripts and interpreters, under whatever name they are called, without keep (EIF_OCI_CLOSURE)',
  async (t) => {
    const python = [
      elf('usr/bin/python3.11', { interpreter: LOADER }),
      loader,
      symlink('usr/bin/python3', 'python3.11'),
    ];
    const cases: readonly (readonly [string, readonly TestEntry[]])[] = [
      ['/usr/bin/python3', python],
      ['/srv/serve', [...python, script('srv/serve', '#!/usr/bin/python3\n')]],
      ['/bin/sh', [symlink('bin/sh', 'busybox'), elf('bin/busybox')]],
      ['/opt/java/bin/java', [elf('opt/java/bin/java')]],
    ];
    for (const [command, entries] of cases) {
      const programs = [program({ command: [command] })];
      await rejectsCode(() => closure(t, entries, { programs }), OciError, 'EIF_OCI_CLOSURE');
      t.ok((await pathsOf(t, [...entries, file('srv/data')], { programs, keep: ['/srv/data'] })).includes('srv/data'));
    }
  },
);

t.test(
  'keeps what patterns name, with all below, what links there lead to, and the libraries of what is there',
  async (t) => {
    const entries = [
      elf('bin/app'),
      file('usr/lib/python3.11/os.py'),
      elf('usr/lib/python3.11/lib-dynload/ssl.so', { needed: ['libssl.so'] }),
      symlink('usr/lib/python3.11/site', '../../share/site'),
      file('usr/share/site/x.py'),
      elf('usr/lib/libssl.so', { needed: ['libnowhere.so'] }),
      file('usr/lib/python2/os.py'),
      file('srv/a/deep/x.conf'),
      file('srv/a/y.conf'),
    ];
    const { nodes, missing } = await closure(t, entries, { keep: ['/usr/lib/python3*', '/srv/**/x.conf'] });
    const paths = nodes.map(({ path }) => path);
    t.same(
      paths.filter((path) => /\.(py|so|conf)$/.test(path)),
      [
        'srv/a/deep/x.conf',
        'usr/lib/libssl.so',
        'usr/lib/python3.11/lib-dynload/ssl.so',
        'usr/lib/python3.11/os.py',
        'usr/share/site/x.py',
      ],
    );
    t.match(missing, [/^libnowhere\.so, needed by \/usr\/lib\/libssl\.so/]);
  },
);

t.test('keeps a folder with all in it, also one that a program works in', async (t) => {
  const programs = [program({ workingFolder: '/srv' })];
  const entries = [elf('bin/app'), file('srv/x')];
  t.notOk((await pathsOf(t, entries, { programs })).includes('srv/x'));
  t.ok((await pathsOf(t, entries, { programs, keep: ['/srv'] })).includes('srv/x'));
});

t.test('rejects a pattern that names nothing (EIF_OCI_CLOSURE)', async (t) => {
  await rejectsCode(() => closure(t, [elf('bin/app')], { keep: ['/srv'] }), OciError, 'EIF_OCI_CLOSURE');
});
