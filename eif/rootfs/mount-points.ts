/** The empty folders that PID 1, or AWS's init, mounts file systems on. Source of the list: nitro-formats 3.3, 3.4. */
import type { RamdiskContent } from './content.ts';

export const MOUNT_POINTS: RamdiskContent = {
  files: [],
  folders: [
    { name: 'dev', mode: 0o755 },
    { name: 'proc', mode: 0o555 },
    { name: 'run', mode: 0o755 },
    { name: 'sys', mode: 0o555 },
    { name: 'tmp', mode: 0o1777 },
    { name: 'var', mode: 0o755 },
  ],
};
