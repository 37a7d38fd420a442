/**
 * Programs apart from the supervisor and from each other: each has its own user, a folder of its own, and its own bound on memory
 * and processes, so that whatever goes wrong in one can neither read another's memory nor take the machine or another down.
 * Specification: the kernel's Documentation/admin-guide/cgroup-v2.rst; proc(5), oom_score_adj.
 */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Confinement, ProcessBounds, ProcessUser } from '../../system/processes/confinement.ts';
import type { ChildKind, ProgramRoom } from '../platform.ts';
import { UserNumbers } from './user-numbers.ts';

const CGROUP_ROOT = '/sys/fs/cgroup';
const FOLDERS = '/run';
/** The owner writes, the guest's group passes, and what is made inside is the group's (inode(7), the set-group-ID bit). */
const DOOR_MODE = 0o2710;
/** The first to go when memory runs out; -1000 is never. */
const SACRIFICED_FIRST = '500';
const NEVER_SACRIFICED = '-1000';

export class Confinements {
  readonly #logger: Logger;
  readonly #hasGroups: boolean;
  readonly #users = new UserNumbers();

  constructor(logger: Logger) {
    this.#logger = logger;
    writeFileSync('/proc/self/oom_score_adj', NEVER_SACRIFICED);
    this.#hasGroups = existsSync(join(CGROUP_ROOT, 'cgroup.subtree_control'));
    if (this.#hasGroups) writeFileSync(join(CGROUP_ROOT, 'cgroup.subtree_control'), '+memory +pids');
    else logger.log('warn', 'machine.no-memory-bound', { reason: 'this kernel has no cgroup v2 here' });
  }

  /** @throws SupervisorError CHILD_CONFINEMENT_TAKEN for a name that is in use */
  confine(name: string, bounds: ProcessBounds, kind?: ChildKind): Confinement {
    const id = this.#users.take(name, kind);
    try {
      return this.#make(name, id, bounds);
    } catch (error) {
      this.#users.giveBack(name);
      throw error;
    }
  }

  /** For a program of an application: its user is the configuration's, and several may have the same. @param name of the configuration */
  room(name: string, bounds: ProcessBounds, user: ProcessUser): ProgramRoom {
    const group = this.#hasGroups ? makeGroup(`app-${name}`, bounds) : undefined;
    return {
      user,
      enclose: (pid) => enclose(pid, group),
      join: (pid) => enclose(pid, group),
      clear: () => endAll(group),
      release: () => group && this.#removeGroup(group),
      outOfMemoryKills: () => (group === undefined ? 0 : outOfMemoryKills(group)),
    };
  }

  #make(name: string, id: number, bounds: ProcessBounds): Confinement {
    const folder = join(FOLDERS, name);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chownSync(folder, id, id);
    const group = this.#hasGroups ? makeGroup(name, bounds) : undefined;
    const door = `${folder}-door`;
    return {
      folder,
      user: { uid: id, gid: id },
      openDoor(guest): string {
        mkdirSync(door, { recursive: true });
        chownSync(door, id, guest?.gid ?? id);
        chmodSync(door, DOOR_MODE);
        return door;
      },
      enclose: (pid) => enclose(pid, group),
      clear: () => endAll(group),
      release: () => {
        for (const each of [folder, door]) rmSync(each, { recursive: true, force: true });
        if (group) this.#removeGroup(group);
        this.#users.giveBack(name);
      },
    };
  }

  /** Processes that were killed a moment ago may still be ending in there; an empty group that stays costs nothing. */
  #removeGroup(group: string): void {
    try {
      rmdirSync(group);
    } catch (error) {
      this.#logger.log('info', 'machine.group-left', { group, reason: describeError(error) });
    }
  }
}

function enclose(pid: number, group: string | undefined): void {
  writeFileSync(`/proc/${pid}/oom_score_adj`, SACRIFICED_FIRST);
  if (group) writeFileSync(join(group, 'cgroup.procs'), String(pid));
}

function endAll(group: string | undefined): void {
  if (group) writeFileSync(join(group, 'cgroup.kill'), '1');
}

/** cgroup-v2.rst, memory.events. */
function outOfMemoryKills(group: string): number {
  const events = readFileSync(join(group, 'memory.events'), 'utf8');
  return Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}

function makeGroup(name: string, { maxMemoryBytes, maxTasks }: ProcessBounds): string {
  const group = join(CGROUP_ROOT, name);
  mkdirSync(group, { recursive: true });
  // All of its processes go together: half an acra-server is none.
  writeFileSync(join(group, 'memory.oom.group'), '1');
  writeFileSync(join(group, 'memory.max'), String(maxMemoryBytes));
  writeFileSync(join(group, 'pids.max'), String(maxTasks));
  return group;
}
