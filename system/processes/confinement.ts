/** How one process, and all that it starts, is kept apart from the rest: a user, a folder and bounds of its own. */

export interface ProcessBounds {
  readonly maxMemoryBytes: number;
  readonly maxTasks: number;
}

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
}

/** Of one child at a time; two children never share one, so that the end of one touches nothing of the other. */
export interface Confinement {
  /** A folder in memory (0700) that the child may enter. */
  readonly folder: string;
  /** Whom it runs as; undefined: as whoever starts it. */
  readonly user: ProcessUser | undefined;
  /**
   * A folder in memory for a socket of the child's: it alone may write there, and beside it only `guest` may come in. What it makes
   * there belongs to the guest's group, so that its mode (see `umask` of a launch) decides.
   */
  openDoor(guest: ProcessUser | undefined): string;
  /** Bounds a process and all that it will start. To be called before it gets anything to do. */
  enclose(pid: number): void;
  /** Ends whatever a child that has ended left running. */
  clear(): void;
  /** Takes folder and bounds away, when nothing of the child runs any more. */
  release(): void;
}
