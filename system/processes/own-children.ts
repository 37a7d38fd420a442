/**
 * The processes that Node itself waits for. A process that also waits for others' (as PID 1 must) asks here first: an exit
 * taken from under Node is never told to whoever started the child.
 */
import type { ChildProcess } from 'node:child_process';

const own = new Set<number>();

/** To be called in the same turn as `spawn`. Returns the child. */
export function markOwnChild<Child extends ChildProcess>(child: Child): Child {
  const { pid } = child;
  if (pid === undefined) return child;
  own.add(pid);
  child.once('exit', () => own.delete(pid));
  return child;
}

export function isOwnChild(pid: number): boolean {
  return own.has(pid);
}
