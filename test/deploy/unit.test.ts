import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { installer, PROJECT, runIn } from './make-install.ts';

/** systemd's own scale: 0 is best, 10 is no protection at all; `--threshold` takes it times ten. */
const MAX_EXPOSURE_TIMES_TEN = 20;

const template = readFileSync(join(PROJECT, 'deploy/systemd/acra-enclave.service'), 'utf8');

const found = runIn('/', 'sh', ['-c', 'command -v systemd-analyze && systemd-analyze --version']);
const release = Number(/^systemd (\d+)/m.exec(found.output)?.[1] ?? 0);
const skip = release >= 250 ? false : 'needs systemd-analyze 250 or later (Debian: apt-get install systemd)';

/** The unit as it is installed, but with programs that exist on any machine. */
function runnableUnit(folder: string): string {
  const unit = join(folder, 'acra-enclave.service');
  mkdirSync(join(folder, 'bin'));
  symlinkSync('/bin/true', join(folder, 'bin/acra-enclave'));
  writeFileSync(unit, template.replaceAll('@LIBDIR@', folder).replaceAll('@SYSCONFDIR@', '/etc'));
  return unit;
}

t.test('systemd understands every line of the unit', { skip }, async (t) => {
  const unit = runnableUnit(temporaryFolder(t));
  const { code, output } = runIn('/', 'systemd-analyze', ['verify', unit]);
  t.equal(code, 0);
  t.same(
    output.split('\n').filter((line) => line.includes('acra-enclave')),
    [],
  );
});

t.test('a unit with a mistake does not pass', { skip }, async (t) => {
  const unit = runnableUnit(temporaryFolder(t));
  writeFileSync(unit, readFileSync(unit, 'utf8').replace('ProtectSystem=strict', 'ProtectSytem=strict'));
  t.match(runIn('/', 'systemd-analyze', ['verify', unit]).output, /ProtectSytem/);
});

t.test('systemd rates the exposure of the unit at 2.0 or less', { skip }, async (t) => {
  const unit = runnableUnit(temporaryFolder(t));
  const args = ['security', '--offline=yes', '--no-pager', `--threshold=${MAX_EXPOSURE_TIMES_TEN}`, unit];
  const { code, output } = runIn('/', 'systemd-analyze', args);
  t.comment(/Overall exposure level.*/.exec(output)?.[0] ?? output);
  t.equal(code, 0, output);
});

t.test('keeps the access that the enclave needs', async (t) => {
  for (const line of [
    'Type=notify',
    'NotifyAccess=main',
    'User=acra-enclave',
    'SupplementaryGroups=ne',
    'DevicePolicy=closed',
    'DeviceAllow=/dev/nitro_enclaves rw',
    'RestrictAddressFamilies=AF_UNIX AF_VSOCK AF_INET AF_INET6',
    'ReadWritePaths=-/run/nitro_enclaves -/var/log/nitro_enclaves',
    'RuntimeDirectoryMode=0700',
    'ExecReload=/bin/kill -HUP $MAINPID',
  ]) {
    t.ok(template.split('\n').includes(line), line);
  }
  t.match(template, /^ExecStop=-/m, 'a daemon that ended in order by itself stays ended: nobody answers its ExecStop');
  t.match(template, /^SystemCallFilter=~@privileged.*\n(#.*\n)*SystemCallFilter=capset$/m, 'setpriv(1) needs it');
  t.notMatch(template, /^MemoryDenyWriteExecute=/m, 'V8 compiles to memory that it executes');
});

t.test('systemd understands the users and folders that are installed', async (t) => {
  const root = temporaryFolder(t);
  if (!existsSync('/usr/bin/systemd-sysusers') && !existsSync('/bin/systemd-sysusers')) {
    t.pass('there is no systemd-sysusers here');
    return;
  }
  t.equal(installer('install', root, '--prefix', '/usr').code, 0);
  mkdirSync(join(root, 'etc'), { recursive: true });
  const { code, output } = runIn('/', 'systemd-sysusers', [`--root=${root}`, '--dry-run']);
  t.equal(code, 0, output);
  t.match(output, /group 'ne'/);
  t.match(output, /user 'acra-enclave'/);
});
