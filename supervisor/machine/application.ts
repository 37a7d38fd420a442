/**
 * The application's part of the machine: its file system becomes the root of its programs, with the few devices and memory file systems
 * that programs count on; they may write where its modes let them, in memory. Nothing of ours is below it: no socket of the supervisor, no measured folder, neither security module nor vsock.
 * Specification: mount(2), proc(5) "hidepid"; the devices are those that OCI's runtime specification names (config-linux.md, "Default Devices").
 */
import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  type Mount,
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  makeDevice,
  mount,
} from '../../system/libc/machine-calls.ts';
import { APP_FOLDER } from '../../wire/image-layout.ts';
import { SupervisorError } from '../errors.ts';
import type { Application, HostsEntry } from '../platform.ts';
import type { Confinements } from './confinement.ts';
import { makeWritable } from './file-systems.ts';

const ROOT = join('/', APP_FOLDER);
const NO_DEVICES = MS_NOSUID | MS_NODEV;
/** An application may write programs, and run them; nothing of it is more than its user. */
const MEMORY: readonly Mount[] = [
  { source: 'tmp', target: '/tmp', type: 'tmpfs', flags: NO_DEVICES, options: 'mode=1777,size=25%' },
  { source: 'run', target: '/run', type: 'tmpfs', flags: NO_DEVICES, options: 'mode=1777,size=16m' },
];
/** Whoever is of proc's group sees all; programs have numbers below (config/app/programs.ts). */
const NOBODY = 65_534;
/** Read-only, for a user 0 owns /proc/sys; nobody sees the processes of others. */
const PROC: Mount = {
  source: 'proc',
  target: '/proc',
  type: 'proc',
  flags: NO_DEVICES | MS_NOEXEC | MS_RDONLY,
  options: `hidepid=2,gid=${NOBODY}`,
};
const DEV: Mount = {
  source: 'dev',
  target: '/dev',
  type: 'tmpfs',
  flags: MS_NOSUID | MS_NOEXEC,
  options: 'mode=0755,size=64k',
};
const SHARED: Mount = {
  source: 'shm',
  target: '/dev/shm',
  type: 'tmpfs',
  flags: NO_DEVICES,
  options: 'mode=1777,size=64m',
};
/** Documentation/admin-guide/devices.txt: character devices, major 1 but for the terminal's. */
const DEVICES: readonly (readonly [name: string, major: number, minor: number])[] = [
  ['null', 1, 3],
  ['zero', 1, 5],
  ['full', 1, 7],
  ['random', 1, 8],
  ['urandom', 1, 9],
  ['tty', 5, 0],
];
const LINKS: readonly (readonly [name: string, target: string])[] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
];
const HOSTS = 'etc/hosts';
const RESOLVER = 'etc/resolv.conf';
const LOOPBACK = '127.0.0.1 localhost\n::1 localhost\n';

/** @throws SupervisorError BOOT_SYSTEM_CALL, BOOT_NO_APPLICATION */
export function openApplication(confinements: Confinements): Application {
  for (const place of ['', 'proc', 'dev', 'tmp', 'run', 'etc']) require('folder', place);
  for (const file of [HOSTS, RESOLVER]) require('file', file);
  // Programs have no capabilities, and ports below 1024 are theirs as others are.
  writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0');
  makeWritable(ROOT);
  for (const fileSystem of [PROC, DEV, ...MEMORY]) mountBelow(fileSystem);
  for (const [name, major, minor] of DEVICES) makeDevice(join(ROOT, 'dev', name), major, minor);
  for (const [name, target] of LINKS) symlinkSync(target, join(ROOT, 'dev', name));
  mkdirSync(join(ROOT, SHARED.target));
  mountBelow(SHARED);
  mountBelow({ ...DEV, flags: DEV.flags | MS_REMOUNT | MS_RDONLY });
  return {
    root: ROOT,
    room: (name, bounds, user) => confinements.room(name, bounds, user),
    writeHosts,
    writeResolver: (text) => writeOver(RESOLVER, text),
  };
}

/** A link would lead out of the application's root, for whoever is not in it. @throws SupervisorError BOOT_NO_APPLICATION */
function require(kind: 'folder' | 'file', place: string): void {
  const path = join(ROOT, place);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (kind === 'folder' ? found?.isDirectory() : found?.isFile()) return;
  throw new SupervisorError('BOOT_NO_APPLICATION', 'this image holds no application as the enclave needs it', {
    found: found === undefined ? `there is no ${path}` : `${path} is no plain ${kind}`,
    allowed: 'an image of `acra-enclave eif build`',
  });
}

function mountBelow(fileSystem: Mount): void {
  mount({ ...fileSystem, target: join(ROOT, fileSystem.target) });
}

function writeHosts(entries: readonly HostsEntry[]): void {
  const lines = entries.map(({ name, address }) => `${address} ${name}\n`);
  writeOver(HOSTS, [LOOPBACK, ...lines].join(''));
}

/** Over that of the image, which nobody can change. */
function writeOver(place: string, text: string): void {
  const written = `/run/app-${basename(place)}`;
  writeFileSync(written, text, { mode: 0o644 });
  const bind: Mount = { source: written, target: join(ROOT, place), type: '', flags: MS_BIND, options: '' };
  mount(bind);
  mount({ ...bind, flags: MS_BIND | MS_REMOUNT | MS_RDONLY });
}
