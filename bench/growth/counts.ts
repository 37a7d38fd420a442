/** What a load has done so far. */

/** What a load is counted by. Minutes: whatever it does in that time. */
export type Unit = 'statements' | 'sessions' | 'connections' | 'minutes';

export class Counts {
  statements = 0;
  sessions = 0;
  connections = 0;
  /** Steady sessions that ended though they did not want to. */
  lost = 0;
  /** What went otherwise than it should, and how often. */
  readonly surprises = new Map<string, number>();

  surprise(what: string): void {
    this.surprises.set(what, (this.surprises.get(what) ?? 0) + 1);
  }
}
