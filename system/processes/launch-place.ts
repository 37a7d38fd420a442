/**
 * What the launcher does before it restricts itself, for a program that is not ours: enters the program's root, gives up every capability
 * and becomes its user. Only in this order: the user may not change the root, and capabilities would let root leave it again.
 * Specification: chroot(2), capabilities(7) "Capability bounding set", prctl(2).
 */
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import type { LaunchFailure, LaunchPlace } from './launch-plan.ts';

/** linux/prctl.h */
const PR_CAPBSET_DROP = 24;
/** The kernel's own number grows; beyond the last it says EINVAL. */
const MAX_CAPABILITY = 63;

type Give = (failure: LaunchFailure) => never;

function attempt(step: LaunchFailure['step'], give: Give, act: () => void): void {
  try {
    act();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    give({ step, errno: errno === undefined ? null : getSystemErrorName(-Math.abs(errno)) });
  }
}

export function enterPlace({ root, user, workingFolder }: LaunchPlace, give: Give): void {
  if (root !== undefined) enterRoot(root, give);
  if (user !== undefined) {
    dropCapabilities(give);
    attempt('user', give, () => {
      process.setgroups?.([]);
      process.setgid?.(user.gid);
      process.setuid?.(user.uid);
    });
  }
  // As its user: what it may not enter it does not start in.
  attempt('folder', give, () => process.chdir(workingFolder));
}

function enterRoot(root: string, give: Give): void {
  const chroot = koffi.load(null).func('int chroot(const char *)');
  if (chroot(root) === -1) give({ step: 'enter', errno: getSystemErrorName(-koffi.errno()) });
  attempt('enter', give, () => process.chdir('/'));
}

/** What is not in the bounding set nobody gets by execve, not even root. */
function dropCapabilities(give: Give): void {
  const prctl = koffi.load(null).func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
  for (let capability = 0; capability <= MAX_CAPABILITY; capability += 1) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) === 0) continue;
    const errno = getSystemErrorName(-koffi.errno());
    if (errno === 'EINVAL' && capability > 0) return;
    give({ step: 'user', errno });
  }
}
