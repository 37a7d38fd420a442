/** A primary and a standby that has all that the primary has acknowledged, as RDS keeps them in two zones; both real. */
import { join } from 'node:path';
import { DATABASE } from '../../cli/demo/database.ts';
import type { Stack } from '../../cli/demo/stack.ts';
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import { followSynchronously, promote, REPLICATOR, startStandby } from '../../test/support/standby.ts';
import { kill } from '../kill.ts';
import { familyOf } from '../proc.ts';

/** Of the primary: `durable: false` of the demo acknowledges what a standby does not have. */
export const PRIMARY = { replicator: REPLICATOR, settings: ['synchronous_commit=on', 'max_connections=300'] };

export class Databases {
  readonly primary: RunningPostgres;
  readonly standby: RunningPostgres;
  #current: RunningPostgres;

  private constructor(primary: RunningPostgres, standby: RunningPostgres) {
    this.primary = primary;
    this.standby = standby;
    this.#current = primary;
  }

  /** @param stack whose database was started as PRIMARY says. @param stops what ends the standby */
  static async start(stack: Stack, signal: AbortSignal, stops: AsyncDisposableStack): Promise<Databases> {
    const { root } = stack.options;
    const { postgres: primary, certificates } = stack.parts;
    const { certificatePem: certPem, privateKeyPem: keyPem } = certificates.database;
    const primaryFolder = join(root, 'pg');
    const standby = await startStandby(primary, primaryFolder, {
      folder: join(root, 'standby'),
      users: [REPLICATOR],
      database: DATABASE,
      tls: { certPem, keyPem },
      durable: false,
      removeOnStop: true,
      ...PRIMARY,
      signal,
    });
    stops.defer(() => standby.stop());
    await followSynchronously(primary, primaryFolder, signal);
    return new Databases(primary, standby);
  }

  /** The one that takes writes. */
  get current(): RunningPostgres {
    return this.#current;
  }

  /** All at once, as its machine would end: no process of it says a last word of another's death. */
  killPrimary(): void {
    const pids = familyOf(this.primary.pid);
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of pids) kill(pid, signal);
  }

  /** Resolves when the standby takes writes. */
  async failOver(): Promise<void> {
    await promote(this.standby);
    this.#current = this.standby;
  }
}
