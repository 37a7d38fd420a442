/**
 * acra-server apart from the supervisor: its own user, a folder of its own, and a bound on memory and processes, so that
 * whatever goes wrong in it can neither read the supervisor's memory nor take the machine down.
 * Specification: the kernel's Documentation/admin-guide/cgroup-v2.rst; proc(5), oom_score_adj.
 */
import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../runtime/log.ts';
import { ACRA_SERVER_ID } from '../../wire/image-layout.ts';
import type { Confinement, ProcessBounds } from '../platform.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';
const GROUP = join(CGROUP_ROOT, 'acra-server');
const FOLDER = '/run/acra-server';
/** The first to go when memory runs out; -1000 is never. */
const SACRIFICED_FIRST = '500';
const NEVER_SACRIFICED = '-1000';

/** @returns false where the kernel offers no such control (nitro-cli's has cgroup v1). */
function makeGroup(): boolean {
  if (!existsSync(join(CGROUP_ROOT, 'cgroup.subtree_control'))) return false;
  writeFileSync(join(CGROUP_ROOT, 'cgroup.subtree_control'), '+memory +pids');
  mkdirSync(GROUP, { recursive: true });
  // All of its processes go together: half an acra-server is none.
  writeFileSync(join(GROUP, 'memory.oom.group'), '1');
  return true;
}

export function confineAcraServer(logger: Logger): Confinement {
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  chownSync(FOLDER, ACRA_SERVER_ID, ACRA_SERVER_ID);
  writeFileSync('/proc/self/oom_score_adj', NEVER_SACRIFICED);
  const hasGroup = makeGroup();
  if (!hasGroup) logger.log('warn', 'machine.no-memory-bound', { reason: 'this kernel has no cgroup v2 here' });
  return {
    folder: FOLDER,
    user: { uid: ACRA_SERVER_ID, gid: ACRA_SERVER_ID },
    enclose(pid: number, { maxMemoryBytes, maxTasks }: ProcessBounds): void {
      writeFileSync(`/proc/${pid}/oom_score_adj`, SACRIFICED_FIRST);
      if (!hasGroup) return;
      writeFileSync(join(GROUP, 'memory.max'), String(maxMemoryBytes));
      writeFileSync(join(GROUP, 'pids.max'), String(maxTasks));
      writeFileSync(join(GROUP, 'cgroup.procs'), String(pid));
    },
    clear(): void {
      if (hasGroup) writeFileSync(join(GROUP, 'cgroup.kill'), '1');
    },
  };
}
