/** What the daemon sees of whatever serves sessions: programs that are supervised, counted, probed and drained. */
import type { AcraProgram } from '../../acra/obtain/program.ts';
import type { AlarmConcern } from '../../acra/server/log-concerns.ts';
import type { AcraLogRecord } from '../../acra/server/log-record.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Random } from '../../runtime/random.ts';
import type { IdentityStatus } from '../../wire/control/messages.ts';
import type { MetricSample } from '../../wire/metrics.ts';
import type { ChildState, SupervisedChild } from '../children/child.ts';
import type { Machine } from '../platform.ts';

export const NO_ALARMS: ReadonlyMap<AlarmConcern, number> = new Map();

/** What the programs that serve sessions are made from, whichever they are. */
export interface WorkloadDeps {
  readonly program: AcraProgram;
  readonly config: EnclaveConfig;
  /** Where a file of the measured folder lies. */
  readonly pathOf: (file: string) => string;
  readonly confine: Machine['confine'];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly onFailure: (error: unknown) => void;
  /** Told of every record of every acra-server. */
  readonly onRecord?: (record: AcraLogRecord) => void;
}

/** One supervised program. */
export interface Member {
  /** Unique in the enclave; names user, cgroup, folder, log records and metrics. */
  readonly id: string;
  readonly child: SupervisedChild;
  /** What its log has raised so far, of every concern. */
  readonly alarms: ReadonlyMap<AlarmConcern, number>;
  /** Beyond what supervision knows: resolves when it answers. @throws SupervisorError CHILD_NOT_READY, CHILD_DEAF */
  readonly probe?: (signal: AbortSignal) => Promise<void>;
}

/** The client identities that are served, and how many may come. */
export interface ServedIdentities {
  readonly known: number;
  readonly running: readonly IdentityStatus[];
}

export type MemberListener = (member: Member, state: ChildState) => void;

export interface Workload {
  readonly members: readonly Member[];
  /** Those without which nobody is served; of the others each serves some. */
  readonly essential: readonly Member[];
  /** Undefined where clients have no identities. */
  readonly identities?: ServedIdentities;
  /** What it counts itself (wire/metrics.ts). */
  readonly samples: readonly MetricSample[];
  /** Told about every change of an essential member's state from now on. */
  subscribe(notify: MemberListener): void;
  /** Takes no new sessions and lets those that there are come to an end; after `drainMs` they are ended. */
  drain(drainMs: number): Promise<void>;
  stop(): Promise<void>;
}
