/** The file systems of the enclave: everything measured becomes read-only, everything else lives in memory. */
import { mkdirSync, readFileSync } from 'node:fs';
import type { Mount } from '../../system/libc/machine-calls.ts';
import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REMOUNT, mount } from '../../system/libc/machine-calls.ts';

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
