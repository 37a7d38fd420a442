/** What needs neither a machine of one's own nor root; the rest is tested in a virtual machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi, { type LibraryHandle } from 'koffi';
import t from 'tap';
import { isMounted } from '../../../supervisor/machine/file-systems.ts';
import { SystemError } from '../../../system/errors.ts';
import { readPtpClockMs, reap, reseedOpenSsl } from '../../../system/libc/machine-calls.ts';
import { PROJECT } from '../../project/imports.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { primaryReseeds, publicReseeds } from './support/openssl-generator.ts';

const LIMITS = fileURLToPath(new URL('./support/limits.ts', import.meta.url));

t.test('sets limits soft and hard alike, and names the error of a call that fails (BOOT_SYSTEM_CALL)', async (t) => {
  const report: unknown = JSON.parse(execFileSync(process.execPath, [LIMITS], { encoding: 'utf8' }));
  t.match(report, { core: ['0', '0'], openFiles: ['200', '200'], refusal: 'BOOT_SYSTEM_CALL', found: /EINVAL/ });
});

t.test('rejects a file that is no clock (BOOT_SYSTEM_CALL)', async (t) => {
  const error = throwsCode(() => readPtpClockMs('/dev/null'), SystemError, 'BOOT_SYSTEM_CALL');
  t.match(error.message, '/dev/null');
  t.throws(() => readPtpClockMs(join(temporaryFolder(t), 'none')), { code: 'ENOENT' });
});

t.test('reseeds the generator of this very process', async (t) => {
  const before = primaryReseeds();
  reseedOpenSsl();
  t.equal(primaryReseeds(), before + 1);
});

t.test('makes the next key from the new seed', async (t) => {
  randomBytes(1);
  const before = publicReseeds();
  randomBytes(1);
  t.equal(publicReseeds(), before, 'by itself it goes on with what it has');
  reseedOpenSsl();
  randomBytes(1);
  t.equal(publicReseeds(), before + 1);
});

t.test(
  'rejects an OpenSSL that is not there, or has no generator, or cannot seed it (BOOT_RNG_NOT_RESEEDED)',
  async (t) => {
    const program = (answers: Readonly<Record<string, unknown>>) => ({
      func: ((definition: string) => () => answers[/(\w+)\(/.exec(definition)?.[1] ?? '']) as LibraryHandle['func'],
    });
    const libc = koffi.load('libc.so.6');
    const { cause } = throwsCode(() => reseedOpenSsl(libc), SystemError, 'BOOT_RNG_NOT_RESEEDED');
    t.match(cause, { message: /RAND_get0_primary/ });
    for (const answers of [
      { RAND_get0_primary: null, EVP_RAND_reseed: 1 },
      { RAND_get0_primary: {}, EVP_RAND_reseed: 0 },
    ]) {
      throwsCode(() => reseedOpenSsl(program(answers)), SystemError, 'BOOT_RNG_NOT_RESEEDED');
    }
  },
);

t.test('reaps nobody who is no child', async (t) => {
  for (const pid of [1, process.pid, process.ppid]) t.notOk(reap(pid));
});

t.test('tells a mount point from a folder', async (t) => {
  t.ok(isMounted('/proc'));
  t.notOk(isMounted('/pro'));
  t.notOk(isMounted('/proc/self'));
  t.notOk(isMounted(temporaryFolder(t)));
});

const HEADERS = [
  'sys/mount.h',
  'sys/socket.h',
  'sys/ioctl.h',
  'net/if.h',
  'sys/resource.h',
  'linux/random.h',
  'linux/reboot.h',
  'linux/prctl.h',
  'sys/wait.h',
  'time.h',
  'signal.h',
  'errno.h',
  'stddef.h',
  'sys/syscall.h',
  'linux/audit.h',
  'linux/filter.h',
  'linux/seccomp.h',
];
/** What has no name in C. */
const EXPRESSIONS = {
  IFREQ_BYTES: 'sizeof(struct ifreq)',
  TIMESPEC_BYTES: 'sizeof(struct timespec)',
  INT_BYTES: 'sizeof(int)',
  NUMBER_AT: 'offsetof(struct seccomp_data, nr)',
  ARCHITECTURE_AT: 'offsetof(struct seccomp_data, arch)',
  FIRST_ARGUMENT_AT: 'offsetof(struct seccomp_data, args)',
  LOAD: 'BPF_LD | BPF_W | BPF_ABS',
  IS_EQUAL: 'BPF_JMP | BPF_JEQ | BPF_K',
  IS_AT_LEAST: 'BPF_JMP | BPF_JGE | BPF_K',
  RETURN: 'BPF_RET | BPF_K',
  IO_URING_SETUP: '__NR_io_uring_setup',
  INSTRUCTION_BYTES: 'sizeof(struct sock_filter)',
  DEVICE_MODE: 'S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH',
};
/** Of the kernel's own headers, of those of another library or processor, or of no header. */
const NOT_IN_C = [
  'CLOCKFD',
  'RAND_POOL_INFO_BYTES',
  'BITS_PER_BYTE',
  'NO_PREDICTION_RESISTANCE',
  'OPENSSL_SUCCESS',
  'KEY_FD',
  'KEY_BYTES',
  'EXIT_NOT_LAUNCHED',
  'X32_NUMBERS',
];
/** What the kernel calls the processors of no-vsock.ts. */
const AUDIT_NAMES = { x64: 'AUDIT_ARCH_X86_64', arm64: 'AUDIT_ARCH_AARCH64' };

/** The numbers that a file declares in capitals. */
function constantsOf(file: string): Map<string, number> {
  const text = readFileSync(join(PROJECT, file), 'utf8');
  const declared = text.matchAll(/^(?:export )?const ([A-Z][A-Z0-9_]+) = (0[xo][0-9a-f]+|\d+);/gm);
  return new Map([...declared].map(([, name = '', value = '']) => [name, Number(value)]));
}

const includes = HEADERS.map((header) => `#include <${header}>\n`).join('');
const cExpression = (name: string) => EXPRESSIONS[name as keyof typeof EXPRESSIONS] ?? name;

/** What the C compiler of this machine takes the names for. */
function inC(folder: string, names: readonly string[]): Map<string, number> {
  const program = join(folder, 'constants');
  const source = [
    '#define _GNU_SOURCE',
    '#include <stdio.h>',
    includes,
    'int main(void) {',
    ...names.map((name) => `printf("${name} %lu\\n", (unsigned long)(${cExpression(name)}));`),
    'return 0; }',
  ].join('\n');
  execFileSync('cc', ['-x', 'c', '-o', program, '-'], { input: source, stdio: ['pipe', 'ignore', 'inherit'] });
  const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
  return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}

const compiles = spawnSync('cc', ['-fsyntax-only', '-x', 'c', '-'], { input: includes }).status === 0;
const withoutCompiler = compiles ? false : 'no C compiler, or not all headers, are installed';

for (const file of ['system/libc/machine-calls.ts', 'system/processes/launcher.ts', 'system/libc/forbid-vsock.ts']) {
  t.test(`keeps the constants of ${file} equal to those of the C headers`, { skip: withoutCompiler }, async (t) => {
    const constants = constantsOf(file);
    for (const name of NOT_IN_C) constants.delete(name);
    t.ok(constants.size >= 4, `${constants.size} constants were found`);
    t.same(constants, inC(temporaryFolder(t), [...constants.keys()]));
  });
}

t.test(
  'keeps the processors that may be without vsock equal to the C headers',
  { skip: withoutCompiler },
  async (t) => {
    const text = readFileSync(join(PROJECT, 'system/libc/forbid-vsock.ts'), 'utf8');
    const declared = [...text.matchAll(/^ {2}(\w+): \{ architecture: (0x[0-9a-f]+), socket: (\d+) \},$/gm)];
    const folder = temporaryFolder(t);
    t.same(
      declared.map(([, name]) => name),
      Object.keys(AUDIT_NAMES),
    );
    for (const [, name = '', architecture, socket] of declared) {
      const auditName = AUDIT_NAMES[name as keyof typeof AUDIT_NAMES];
      t.equal(Number(architecture), inC(folder, [auditName]).get(auditName));
      if (name === process.arch) t.equal(Number(socket), inC(folder, ['SYS_socket']).get('SYS_socket'));
    }
  },
);
