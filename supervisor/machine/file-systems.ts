/** The file systems of the enclave: everything measured becomes read-only, everything else lives in memory. */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { errorCode } from '../../runtime/errors.ts';
import type { Mount } from '../../system/libc/machine-calls.ts';
import {
  MS_BIND,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  mount,
} from '../../system/libc/machine-calls.ts';

const NO_PROGRAMS = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/** Sizes bound what a program that fills a file system can take from the enclave's memory. */
const FILE_SYSTEMS: readonly Mount[] = [
  // Nobody but root sees the processes of others.
  { source: 'proc', target: '/proc', type: 'proc', flags: NO_PROGRAMS, options: 'hidepid=2' },
  { source: 'sysfs', target: '/sys', type: 'sysfs', flags: NO_PROGRAMS, options: '' },
  { source: 'dev', target: '/dev', type: 'devtmpfs', flags: MS_NOSUID | MS_NOEXEC, options: 'mode=0755,size=1m' },
  { source: 'run', target: '/run', type: 'tmpfs', flags: NO_PROGRAMS, options: 'mode=0755,size=16m' },
  { source: 'tmp', target: '/tmp', type: 'tmpfs', flags: NO_PROGRAMS, options: 'mode=1777,size=64m' },
  { source: 'cgroup', target: '/sys/fs/cgroup', type: 'cgroup2', flags: NO_PROGRAMS, options: '' },
];

/** The root file system comes out of the measured image; from here on nobody changes it. */
const READ_ONLY_ROOT: Mount = { source: 'rootfs', target: '/', type: '', flags: MS_REMOUNT | MS_RDONLY, options: '' };

/** @throws SupervisorError BOOT_SYSTEM_CALL */
export function mountFileSystems(): void {
  for (const fileSystem of FILE_SYSTEMS) {
    mkdirSync(fileSystem.target, { recursive: true });
    mount(fileSystem);
  }
  mount(READ_ONLY_ROOT);
}

/**
 * Takes a folder out of it: there the modes of files alone say who may write, in memory. All else stays as it was, by its mount in the
 * place of its file system, which both share. Nothing but the supervisor runs yet.
 * @throws SupervisorError BOOT_SYSTEM_CALL
 */
export function makeWritable(folder: string): void {
  const own: Mount = { source: folder, target: folder, type: '', flags: MS_BIND, options: '' };
  mount(own);
  if (isReadOnly(folder)) {
    mount({ ...READ_ONLY_ROOT, flags: MS_REMOUNT });
    mount({ ...READ_ONLY_ROOT, flags: MS_REMOUNT | MS_BIND | MS_RDONLY });
  }
  mount({ ...own, flags: MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV });
}

/** Another init leaves it writable. access(2): root gets EROFS alone. */
function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    if (errorCode(error) === 'EROFS') return true;
    throw error;
  }
}

/** Another init mounts before it starts us; proc(5), /proc/self/mountinfo: the fifth field is the mount point. */
export function isMounted(target: string): boolean {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .some((line) => line.split(' ')[4] === target);
  } catch {
    return false;
  }
}
