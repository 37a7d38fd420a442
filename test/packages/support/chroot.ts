/** A bare Debian 12 in a folder, made by debootstrap from the mirror that this machine uses, and packages in there by apt and dpkg. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ended } from '../../deploy/make-install.ts';

/** What the package depends on, so that apt needs no network in there, and what tells and rotates. */
const INCLUDED = ['init-system-helpers', 'libatomic1', 'libstdc++6', 'logrotate', 'procps', 'systemd', 'systemd-sysv'];
const SUITE = 'bookworm';

/** @returns what this machine lacks, in words. */
export function missingForChroot(): string | undefined {
  if (process.getuid?.() !== 0)
    return 'run `make test-packages` as root: it makes a Debian in a folder and installs there';
  const missing = ['debootstrap', 'dpkg-deb', 'lintian'].filter(
    (name) => spawnSync(name, ['--version']).error !== undefined,
  );
  return missing.length === 0 ? undefined : `apt-get install ${missing.join(' ')}`;
}

function mirror(): string {
  const lists = [
    '/etc/apt/sources.list',
    ...(existsSync('/etc/apt/sources.list.d') ? readdirSync('/etc/apt/sources.list.d') : []).map((name) =>
      join('/etc/apt/sources.list.d', name),
    ),
  ];
  const texts = lists.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  const uris = texts.flatMap((text) =>
    [...text.matchAll(/^(?:deb(?: \[[^\]]*\])?|URIs:) +(https?:\S+)/gm)].map(([, uri = '']) => uri),
  );
  return uris.find((uri) => !uri.includes('security')) ?? 'http://deb.debian.org/debian';
}

export interface Chroot {
  readonly root: string;
  /** With a /proc that only this command sees. */
  run(command: string): Ended;
}

/** @param root made here */
export function makeChroot(root: string): Chroot {
  const made = spawnSync(
    'debootstrap',
    ['--variant=minbase', `--include=${INCLUDED.join(',')}`, SUITE, root, mirror()],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`debootstrap: ${made.stdout.slice(-2000)}${made.stderr}`);
  execFileSync('mkdir', ['-p', join(root, 'packages')]);
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    LC_ALL: 'C.UTF-8',
    DEBIAN_FRONTEND: 'noninteractive',
  };
  return {
    root,
    run: (command) => {
      const inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" sh -c "$1"';
      const args = ['--mount', 'sh', '-c', inside, root, command];
      const { status, stdout, stderr } = spawnSync('unshare', args, { env, encoding: 'utf8' });
      return { code: status, output: `${stdout}${stderr}` };
    },
  };
}
