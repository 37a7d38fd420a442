/** The shell recipes, as far as they can be run without building: what they refuse, ask for and say. apt and dpkg are small scripts. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { KernelError } from '../../../eif/build-errors.ts';
import { requirePackages } from '../../../eif/kernel/tool-chain.ts';
import { rejectsCode } from '../../support/coded-error.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { fakeProgram, linkPrograms } from './support/fake-program.ts';

const SCRIPTS = fileURLToPath(new URL('../../../scripts/', import.meta.url));
const TOOLS =
  'awk bash cat cut dirname find flock fold grep kill ls mkdir mktemp mv nice nproc realpath rm sed sh sort tail touch tr uname'.split(
    ' ',
  );
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

class Machine {
  readonly folder: string;
  readonly programs: string;

  constructor(t: Test) {
    this.folder = temporaryFolder(t);
    this.programs = join(this.folder, 'bin');
    linkPrograms(this.programs, TOOLS);
  }

  fake(name: string, body: string): void {
    fakeProgram(join(this.programs, name), body);
  }

  /** A dpkg that knows these packages. */
  installed(...names: string[]): void {
    writeFileSync(join(this.folder, 'installed'), names.map((name) => `${name}\n`).join(''));
    this.fake('dpkg-query', `grep -qx "$4" '${this.folder}/installed' && echo 'install ok installed'`);
  }

  /** An apt that would do this, and notes what it was told to do; a real installation makes everything installed. */
  apt(plan: string, status = 0): void {
    writeFileSync(join(this.folder, 'plan'), plan);
    this.fake(
      'apt-get',
      `echo "$*" >>'${this.folder}/apt.log'
case "$*" in
*--simulate*) cat '${this.folder}/plan'; exit ${status} ;;
*install*) for p; do echo "$p"; done >>'${this.folder}/installed' ;;
esac`,
    );
  }

  rust(version: string): void {
    for (const name of ['cargo', 'rustc']) this.fake(name, `echo "${name} ${version} (abc 2026-01-01)"`);
  }

  aptCalls(): string[] {
    const file = join(this.folder, 'apt.log');
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  }

  run(script: string, args: readonly string[] = [], environment: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const env = { PATH: this.programs, HOME: this.folder, CACHE: join(this.folder, 'cache'), ...environment };
    return new Promise((resolve) => {
      execFile(join(this.programs, 'bash'), [join(SCRIPTS, script), ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }
}

const isRoot = process.getuid?.() === 0;
const PLAN = `Inst libglib2.0-0 [2.74.6-2] (2.74.6-2+deb12u9 Debian:12 [amd64])
Inst flex (2.6.4-8.2 Debian:12 [amd64])
Conf flex (2.6.4-8.2 Debian:12 [amd64])
`;

t.test(
  'vm-packages says what is missing, what would come and what would move, and installs nothing unasked',
  async (t) => {
    const machine = new Machine(t);
    machine.installed('gcc', 'make');
    machine.apt(PLAN);
    machine.rust('1.95.0');
    const { code, stderr } = await machine.run('vm-packages.sh');
    t.equal(code, 1);
    t.match(stderr, /missing packages: .*flex.* libcbor-dev/);
    t.notMatch(stderr, /missing packages: .*(\bgcc\b|\bmake\b|cargo-web)/, 'what is there is not missing');
    t.match(stderr, /1 packages are to be installed:\n flex\n/);
    t.match(stderr, /move because of them:\n {2}libglib2\.0-0 2\.74\.6-2 -> 2\.74\.6-2\+deb12u9\n/);
    t.match(stderr, /vm-packages\.sh --install/);
    t.equal(machine.aptCalls().filter((call) => !call.includes('--simulate')).length, 0);
  },
);

t.test('vm-packages asks for Debian’s Rust where none is recent enough', async (t) => {
  const machine = new Machine(t);
  machine.installed();
  machine.apt(PLAN);
  for (const [version, wanted] of [
    [undefined, true],
    ['1.63.0', true],
    ['1.84.1', true],
    ['1.85.0', false],
    ['1.100.0', false],
  ] as const) {
    if (version !== undefined) machine.rust(version);
    const { stderr } = await machine.run('vm-packages.sh');
    t.equal(/missing packages: .*cargo-web.*rustc-web/.test(stderr), wanted, `with ${version}`);
  }
});

t.test('vm-packages asks for all that the kernel needs', async (t) => {
  const machine = new Machine(t);
  machine.installed();
  machine.apt(PLAN);
  const path = process.env['PATH'];
  t.teardown(() => {
    process.env['PATH'] = path;
  });
  process.env['PATH'] = machine.programs;
  const { message } = await rejectsCode(() => requirePackages(), KernelError, 'KERNEL_PACKAGES_MISSING');
  const needed = message.split(': ')[1]?.split(' ') ?? [];
  const asked = /missing packages: (.*)/.exec((await machine.run('vm-packages.sh')).stderr)?.[1]?.split(' ') ?? [];
  t.ok(needed.includes('flex') && asked.includes('flex'));
  t.same(
    needed.filter((name) => !asked.includes(name)),
    [],
  );
});

t.test('vm-packages has nothing to say where nothing is missing', async (t) => {
  const machine = new Machine(t);
  machine.fake('dpkg-query', "echo 'install ok installed'");
  machine.fake('apt-get', 'exit 9');
  machine.rust('1.95.0');
  t.match(await machine.run('vm-packages.sh', ['--install']), { code: 0, stdout: '', stderr: '' });
});

t.test(
  'vm-packages --install installs as root, and removes and upgrades nothing of its own',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const machine = new Machine(t);
    machine.installed();
    machine.apt(PLAN);
    machine.rust('1.95.0');
    const { code, stderr } = await machine.run('vm-packages.sh', ['--install']);
    t.equal(code, 0);
    t.match(stderr, /libglib2\.0-0 2\.74\.6-2 -> /);
    const [update, simulation, installation, ...more] = machine.aptCalls();
    t.match(update, /update/);
    t.match(simulation, /--simulate/);
    t.match(installation, /install --no-install-recommends --no-upgrade --no-remove bc /);
    t.same(more, []);
  },
);

t.test('vm-packages --install refuses another user than root', { skip: isRoot && 'is root' }, async (t) => {
  const machine = new Machine(t);
  machine.installed();
  machine.apt(PLAN);
  t.match(await machine.run('vm-packages.sh', ['--install']), { code: 1, stderr: /run as root/ });
  t.same(machine.aptCalls(), []);
});

t.test('vm-packages stops where apt would have to remove something', async (t) => {
  const machine = new Machine(t);
  machine.installed();
  machine.apt('E: Packages need to be removed but remove is disabled.\n', 100);
  t.match(await machine.run('vm-packages.sh'), {
    code: 1,
    stderr: /remove is disabled.*put a cargo >= 1\.85 on PATH/s,
  });
});

t.test('build-vhost-device-vsock takes the first Rust that is recent enough', async (t) => {
  const machine = new Machine(t);
  t.match(await machine.run('build-vhost-device-vsock.sh', ['--compiler']), {
    code: 1,
    stderr: /rustc-web and cargo-web/,
  });
  machine.rust('1.63.0');
  t.match(await machine.run('build-vhost-device-vsock.sh', ['--compiler']), { code: 1 });
  const second = new Machine(t);
  second.rust('1.96.0');
  const both = { PATH: `${machine.programs}:${second.programs}` };
  t.match(await machine.run('build-vhost-device-vsock.sh', ['--compiler'], both), {
    code: 0,
    stdout: /^rustc 1\.96\.0 /,
  });
});

t.test('recipes explain themselves when called wrongly (exit code 2)', async (t) => {
  const machine = new Machine(t);
  for (const script of ['build-qemu.sh', 'build-vhost-device-vsock.sh', 'build-kernel.sh']) {
    t.match(await machine.run(script), { code: 2, stderr: new RegExp(`^${script} .*OUTPUT`) });
  }
  t.match(await machine.run('vm-packages.sh', ['--now']), { code: 2, stderr: /^vm-packages\.sh \[--install\]/ });
});

t.test('recipes refuse to write over what is there', async (t) => {
  const machine = new Machine(t);
  machine.rust('1.95.0');
  for (const [script, ...args] of [['build-qemu.sh', '1:1.0'], ['build-vhost-device-vsock.sh']] as const) {
    const output = join(machine.folder, script);
    mkdirSync(output);
    t.match(await machine.run(script, [...args, output]), { code: 1, stderr: /exists already/ });
    t.same(readdirSync(output), []);
  }
});

t.test(
  'build-qemu says which versions the mirror has (exit code 3)',
  { skip: !existsSync(KEYRING) && 'needs debian-archive-keyring' },
  async (t) => {
    const machine = new Machine(t);
    machine.fake('apt-get', 'exit 0');
    machine.fake(
      'apt-cache',
      `[ "$4" = qemu ] && cat <<'END'
      qemu | 1:10.0.2+ds-2 | http://mirror/debian trixie/main Sources
      qemu | 1:10.0.9+ds-1 | http://mirror/debian-security trixie-security/main Sources
      qemu | 1:11.1 | http://mirror/debian sid/main Sources
END`,
    );
    const mirrors = { DEBIAN_MIRROR: 'http://mirror/debian', DEBIAN_SECURITY_MIRROR: 'http://mirror/debian-security' };
    const output = join(machine.folder, 'out');
    const { code, stderr } = await machine.run('build-qemu.sh', ['1:10.0.0', output], mirrors);
    t.equal(code, 3);
    t.match(stderr, /qemu 1:10\.0\.0 is not on the mirror; there is: 1:10\.0\.2\+ds-2 1:10\.0\.9\+ds-1\n/);
    t.same(
      readdirSync(machine.folder).filter((name) => name.startsWith('out')),
      [],
    );
    t.same(readdirSync(join(machine.folder, 'cache')).sort(), ['apt', 'apt.lock'], 'no build tree is left');
  },
);
