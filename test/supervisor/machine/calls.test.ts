/** What needs neither a machine of one's own nor root; the rest is tested in a virtual machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { SupervisorError } from '../../../supervisor/errors.ts';
import { readPtpClockMs, reap } from '../../../supervisor/machine/calls.ts';
import { isMounted } from '../../../supervisor/machine/file-systems.ts';
import { PROJECT } from '../../project/imports.ts';
import { throwsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const LIMITS = fileURLToPath(new URL('./support/limits.ts', import.meta.url));

t.test('sets limits soft and hard alike, and names the error of a call that fails (BOOT_SYSTEM_CALL)', async (t) => {
  const report: unknown = JSON.parse(execFileSync(process.execPath, [LIMITS], { encoding: 'utf8' }));
  t.match(report, { core: ['0', '0'], openFiles: ['200', '200'], refusal: 'BOOT_SYSTEM_CALL', found: /EINVAL/ });
});

t.test('rejects a file that is no clock (BOOT_SYSTEM_CALL)', async (t) => {
  const error = throwsCode(() => readPtpClockMs('/dev/null'), SupervisorError, 'BOOT_SYSTEM_CALL');
  t.match(error.message, '/dev/null');
  t.throws(() => readPtpClockMs(join(temporaryFolder(t), 'none')), { code: 'ENOENT' });
});

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
];
/** Sizes have no name in C. */
const SIZES = {
  IFREQ_BYTES: 'sizeof(struct ifreq)',
  TIMESPEC_BYTES: 'sizeof(struct timespec)',
  INT_BYTES: 'sizeof(int)',
};
/** Of the kernel's own headers, or of no header. */
const NOT_IN_C = ['CLOCKFD', 'RAND_POOL_INFO_BYTES', 'BITS_PER_BYTE', 'KEY_FD', 'KEY_BYTES', 'EXIT_BAD_HANDOVER'];

/** The numbers that a file declares in capitals. */
function constantsOf(file: string): Map<string, number> {
  const text = readFileSync(join(PROJECT, file), 'utf8');
  const declared = text.matchAll(/^(?:export )?const ([A-Z][A-Z0-9_]+) = (0[xo][0-9a-f]+|\d+);/gm);
  return new Map([...declared].map(([, name = '', value = '']) => [name, Number(value)]));
}

const cExpression = (name: string) => SIZES[name as keyof typeof SIZES] ?? name;

/** What the C compiler of this machine takes the names for. */
function inC(folder: string, names: readonly string[]): Map<string, number> {
  const program = join(folder, 'constants');
  const source = [
    '#define _GNU_SOURCE',
    '#include <stdio.h>',
    ...HEADERS.map((header) => `#include <${header}>`),
    'int main(void) {',
    ...names.map((name) => `printf("${name} %lu\\n", (unsigned long)(${cExpression(name)}));`),
    'return 0; }',
  ].join('\n');
  execFileSync('cc', ['-x', 'c', '-o', program, '-'], { input: source, stdio: ['pipe', 'ignore', 'inherit'] });
  const lines = execFileSync(program, { encoding: 'utf8' }).trim().split('\n');
  return new Map(lines.map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}

const withoutCompiler = spawnSync('cc', ['--version']).status === 0 ? false : 'no C compiler is installed';

for (const file of ['supervisor/machine/calls.ts', 'supervisor/launcher.ts']) {
  t.test(`keeps the constants of ${file} equal to those of the C headers`, { skip: withoutCompiler }, async (t) => {
    const constants = constantsOf(file);
    for (const name of NOT_IN_C) constants.delete(name);
    t.ok(constants.size >= 4, `${constants.size} constants were found`);
    t.same(constants, inC(temporaryFolder(t), [...constants.keys()]));
  });
}
