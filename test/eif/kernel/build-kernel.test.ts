/** The kernel's recipe without compiling: what reaches the build, and what stays when it fails. apt, dpkg and make are small scripts. */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { fakeProgram, linkPrograms } from '../../cli/qemu/support/fake-program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SCRIPT = fileURLToPath(new URL('../../../scripts/build-kernel.sh', import.meta.url));
const FRAGMENT = fileURLToPath(new URL('../../../eif/kernel/enclave-hardened.config', import.meta.url));
const TOOLS =
  'awk bash cat cp dirname env find flock grep gzip head mkdir mktemp mv nice nproc realpath rm sed seq sh sort stat tail tar touch tr uname';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const cannotRun =
  process.arch !== 'x64' || !existsSync(KEYRING) ? 'needs an x86_64 machine and debian-archive-keyring' : false;

interface Outcome {
  readonly code: number;
  readonly stderr: string;
}

/** A mirror with one version, whose source is a script that takes the fragment as it is and a `make` that does `bzImage`. */
class Machine {
  readonly folder: string;
  readonly cache: string;
  readonly output: string;

  constructor(t: Test, bzImage: string, olddefconfig = ':') {
    this.folder = temporaryFolder(t);
    this.cache = join(this.folder, 'cache');
    this.output = join(this.folder, 'output');
    const programs = join(this.folder, 'bin');
    linkPrograms(programs, TOOLS.split(' '));
    const source = join(this.folder, 'linux');
    fakeProgram(join(source, 'scripts/kconfig/merge_config.sh'), 'cp "$3" .config');
    execFileSync('tar', ['-C', this.folder, '-czf', join(this.folder, 'linux.tar.gz'), 'linux']);
    fakeProgram(
      join(programs, 'apt-cache'),
      'echo "linux-source-6.12 | 6.12.1-1 | http://mirror/debian trixie/main amd64 Packages"',
    );
    fakeProgram(join(programs, 'apt-get'), 'case "$*" in *download*) : >linux.deb ;; esac');
    fakeProgram(
      join(programs, 'dpkg-deb'),
      `mkdir -p "$3/usr/src"; cp '${this.folder}/linux.tar.gz' "$3/usr/src/linux-source-6.12.tar.gz"`,
    );
    fakeProgram(
      join(programs, 'make'),
      `env >>'${this.folder}/environment'
for word; do case $word in LOCALVERSION=*) LOCALVERSION=\${word#*=} ;; esac; done
case "$*" in
*olddefconfig*) ${olddefconfig} ;;
*kernelrelease*) echo "6.12.1\${LOCALVERSION-+}" ;;
*bzImage*) mkdir -p include/config arch/x86/boot
  echo "6.12.1\${LOCALVERSION-+}" >include/config/kernel.release
  ${bzImage} ;;
esac`,
    );
  }

  build(environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const programs = join(this.folder, 'bin');
    const mirrors = { DEBIAN_MIRROR: 'http://mirror/debian', DEBIAN_SECURITY_MIRROR: 'http://mirror/debian-security' };
    const env = { PATH: programs, HOME: this.folder, CACHE: this.cache, JOBS: '1', ...mirrors, ...environment };
    return new Promise((resolve) => {
      execFile(join(programs, 'bash'), [SCRIPT, '6.12.1-1', FRAGMENT, this.output], { env }, (error, _, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stderr }),
      );
    });
  }
}

t.test('keeps the caller’s environment out of the kernel and its release', { skip: cannotRun }, async (t) => {
  const machine = new Machine(t, 'echo KERNEL >arch/x86/boot/bzImage');
  const { code, stderr } = await machine.build({
    LOCALVERSION: '-x',
    KCFLAGS: '-O0',
    HOSTCFLAGS: '-O0',
    MAKEFLAGS: 'V=1',
    C_INCLUDE_PATH: '/nonexistent',
  });
  t.equal(code, 0, stderr);
  t.equal(readFileSync(join(machine.output, 'release'), 'utf8'), '6.12.1\n');
  t.equal(readFileSync(join(machine.output, 'bzImage'), 'utf8'), 'KERNEL\n');
  const names = readFileSync(join(machine.folder, 'environment'), 'utf8').matchAll(/^(\w+)=/gm);
  const ofTheShell = ['_', 'OLDPWD', 'PWD', 'SHLVL'];
  const given = new Set([...names].map(([, name = '']) => name).filter((name) => !ofTheShell.includes(name)));
  t.same([...given].sort(), ['LC_ALL', 'PATH', 'TMPDIR', 'TZ']);
});

t.test('keeps the log of a build that failed, and says where', { skip: cannotRun }, async (t) => {
  const machine = new Machine(t, 'for i in $(seq 100); do echo "line $i"; done; echo "cc1: out of memory" >&2; exit 1');
  const { code, stderr } = await machine.build();
  t.equal(code, 1);
  t.match(stderr, /cc1: out of memory\n/);
  const log = /the whole log is (.*)\n/.exec(stderr)?.[1] ?? '';
  t.match(readFileSync(log, 'utf8'), /^line 1\n(?:line \d+\n)*cc1: out of memory\n$/);
  t.same(readdirSync(machine.cache).sort(), ['apt', 'apt.lock', 'kernel-failed.log'], 'no build tree is left');
  t.notOk(existsSync(machine.output));
});

for (const [what, olddefconfig, complaint] of [
  ['lacks what the fragment asks for', "sed -i '/^CONFIG_NSM=/d' .config", /wanted CONFIG_NSM=y, got nothing/],
  ['has what the fragment leaves out', 'echo CONFIG_MODULES=y >>.config', /CONFIG_MODULES is on, wanted off/],
] as const) {
  t.test(`rejects a kernel that ${what}`, { skip: cannotRun }, async (t) => {
    const machine = new Machine(t, 'echo KERNEL >arch/x86/boot/bzImage', olddefconfig);
    const { code, stderr } = await machine.build();
    t.equal(code, 1);
    t.match(stderr, complaint);
    t.notOk(existsSync(machine.output));
  });
}
