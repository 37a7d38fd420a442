/** The Debian package on a bare Debian 12: installed by apt, upgraded with a changed configuration, removed, purged. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { filesIn, PROJECT, runIn } from '../deploy/make-install.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { makeChroot, missingForChroot } from './support/chroot.ts';

const missing = missingForChroot();
if (missing !== undefined) {
  t.fail(missing);
  process.exit(1);
}

const { version }: { version: string } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const CONFIG = '/etc/acra-enclave/host-proxy.yaml';
const STATE = '/var/lib/acra-enclave';
const WHERE = /^\/(etc|usr|var|run|home|root|opt|srv)\//;
/** What dpkg, apt and systemd note of any package, and compiled code in the cache of whoever called the command (docs/releases.md). */
const NOTES =
  /^\/(root\/\.cache\/acra-enclave|run\/systemd|var\/(lib\/dpkg|lib\/apt|lib\/systemd\/deb-systemd-helper-\w+|log|cache\/(apt|debconf|ldconfig))\/|etc\/(passwd|group|shadow|gshadow)-?$|etc\/ld\.so\.cache$)/;

const folder = temporaryFolder(t);
const built = runIn(PROJECT, process.execPath, ['deploy/debian-package.ts', '--output', folder]);
t.equal(built.code, 0, built.output);
const archive = built.output.trim();

/** The release before: the same files, another version, and another example of the configuration. */
function writePrevious(): string {
  const unpacked = join(folder, 'previous');
  const previous = join(folder, 'acra-enclave-previous.deb');
  execFileSync('dpkg-deb', ['--raw-extract', archive, unpacked]);
  const control = join(unpacked, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*/m, 'Version: 0.0.1'));
  appendFileSync(join(unpacked, CONFIG), '# as the release before had it\n');
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', unpacked, previous]);
  return previous;
}

t.test('has nothing that lintian complains of', async (t) => {
  t.same(runIn('/', 'lintian', ['--allow-root', '--fail-on', 'error,warning', archive]), { code: 0, output: '' });
});

const debian = makeChroot(join(folder, 'debian'));
for (const [name, source] of [
  ['new.deb', archive],
  ['previous.deb', writePrevious()],
] as const)
  copyFileSync(source, join(debian.root, 'packages', name));
const before = filesIn(debian.root).filter((name) => WHERE.test(name));
const added = () =>
  filesIn(debian.root)
    .filter((name) => WHERE.test(name) && !NOTES.test(name))
    .filter((name) => !before.includes(name));
const apt = (words: string) => debian.run(`apt-get --yes -o Dpkg::Use-Pty=0 ${words}`);

t.test('is left unconfigured by dpkg where a dependency is missing, which it names, until apt brings it', async (t) => {
  debian.run('dpkg --purge libatomic1');
  const { code, output } = debian.run('dpkg --install /packages/new.deb');
  t.equal(code, 1);
  t.match(output, /acra-enclave depends on libatomic1/);
  t.match(debian.run('dpkg -s acra-enclave'), { output: /Status: install ok unpacked/ });
  const mended = debian.run('apt-get update && apt-get --yes --fix-broken install');
  t.equal(mended.code, 0, mended.output);
  t.same(debian.run('acra-enclave --version'), { code: 0, output: `${version}\n` });
  t.equal(apt('purge acra-enclave').code, 0);
});

t.test('installs by apt from the file, and does not start', async (t) => {
  const { code, output } = apt('install /packages/previous.deb');
  t.equal(code, 0, output);
  t.match(output, /is not started yet: edit \/etc\/acra-enclave\/host-proxy\.yaml/);
  t.same(debian.run('acra-enclave --version'), { code: 0, output: `${version}\n` });
  t.match(debian.run('acra-enclave doctor'), { code: 1, output: /host-proxy\.yaml/ });
  t.match(debian.run('systemctl is-enabled acra-enclave'), { output: /disabled/ });
  t.same(debian.run('systemd-analyze verify acra-enclave.service'), { code: 0, output: '' });
  t.same(
    debian.run(
      'man=/usr/share/man/man1/acra-enclave.1.gz; gzip -t $man && logrotate --debug /etc/logrotate.conf 2>&1 | grep -ci error',
    ),
    { code: 1, output: '0\n' },
  );
});

t.test("gives every file to root and lets nobody else write; state and user are the service's", async (t) => {
  t.same(
    debian.run(
      `dpkg -L acra-enclave | xargs -d '\\n' stat -c '%U:%G %A %n' | grep -v '^root:root .....-..-. \\|^root:root lrwx'`,
    ),
    { code: 1, output: '' },
  );
  t.same(debian.run(`stat -c '%U:%G %a' ${STATE}`), { code: 0, output: 'acra-enclave:acra-enclave 750\n' });
  t.match(debian.run('getent passwd acra-enclave; id -Gn acra-enclave'), {
    code: 0,
    output: /nologin\nacra-enclave ne\n/,
  });
});

t.test('lists in its manual the commands that it has', async (t) => {
  const [, commands = ''] = debian.run('acra-enclave --help').output.split(/^Commands:$/m);
  const names = [...commands.matchAll(/^ {2}([a-z][\w-]*)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
  const manual = debian.run('zcat /usr/share/man/man1/acra-enclave.1.gz').output.replaceAll('\\-', '-');
  t.ok(names.length > 5);
  t.same(
    names.filter((name) => !manual.includes(`.TP\n.B ${name}\n`)),
    [],
  );
});

t.test('keeps a changed configuration at an upgrade, says so, and keeps the unit as it was chosen', async (t) => {
  appendFileSync(join(debian.root, CONFIG), '# the operator was here\n');
  t.equal(debian.run('systemctl enable acra-enclave').code, 0);
  const { code, output } = apt('-o Dpkg::Options::=--force-confold install /packages/new.deb');
  t.equal(code, 0, output);
  t.match(readFileSync(join(debian.root, CONFIG), 'utf8'), 'the operator was here');
  t.ok(existsSync(join(debian.root, `${CONFIG}.dpkg-dist`)), 'the new example lies beside it');
  t.match(debian.run('systemctl is-enabled acra-enclave'), { output: 'enabled\n' });
  t.match(debian.run('dpkg -s acra-enclave').output, `Status: install ok installed\n`);
  t.match(debian.run('dpkg -s acra-enclave').output, `Version: ${version}\n`);
});

t.test('leaves configuration, logs and state at a removal', async (t) => {
  mkdirSync(join(debian.root, 'var/log/acra-enclave'), { recursive: true });
  writeFileSync(join(debian.root, 'var/log/acra-enclave/host-proxy.log'), 'lines');
  mkdirSync(join(debian.root, STATE, 'keys'));
  writeFileSync(join(debian.root, STATE, 'keys/set-1'), 'sealed');
  t.equal(apt('remove acra-enclave').code, 0);
  t.same(added(), [
    CONFIG,
    `${CONFIG}.dpkg-dist`,
    '/etc/logrotate.d/acra-enclave',
    ...added().filter((name) => name.startsWith('/etc/systemd/')),
    `${STATE}/keys/set-1`,
  ]);
  t.ok(existsSync(join(debian.root, 'var/log/acra-enclave/host-proxy.log')));
});

t.test('purges all but sealed keys, and says where these are', async (t) => {
  const { code, output } = apt('purge acra-enclave');
  t.equal(code, 0, output);
  t.match(output, /left \/var\/lib\/acra-enclave, because it is not empty\. It may hold sealed keys/);
  t.same(added(), [`${STATE}/keys/set-1`]);
  t.notOk(existsSync(join(debian.root, 'var/log/acra-enclave')));
  t.notOk(existsSync(join(debian.root, 'etc/acra-enclave')));
});
