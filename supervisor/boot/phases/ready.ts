/** The first probe of acra-server and the database. A database that is down or without TLS may yet come: patience. */
import { errorCode } from '../../../runtime/errors.ts';
import type { ProbeTargets } from '../../health.ts';
import { MemberDown, probeThrough } from '../../health.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase } from '../phase.ts';
import type { AcraReady } from './acra.ts';
import type { Configured } from './configuration.ts';
import { readMeasured } from './configuration.ts';
import type { EgressReady } from './egress.ts';

export interface Ready {
  readonly probeTargets: ProbeTargets;
}

const TEMPORARY = new Set([
  'BOOT_DATABASE_NO_TLS',
  'BOOT_DATABASE_TLS_FAILED',
  'BOOT_DATABASE_UNREACHABLE',
  'BOOT_DATABASE_UNTRUSTED',
  'CHILD_DEAF',
  'CHILD_NOT_READY',
]);

export const readyPhase: Phase<Configured & EgressReady & AcraReady, Ready> = {
  name: 'ready',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run({ config, pathOf, databaseAddress, fleet, sessionTls }, context) {
    const timeoutMs = config.health.probeTimeoutMs;
    const probeTargets: ProbeTargets = {
      members: () => fleet.members,
      timeoutMs,
      sessionTls,
      database: {
        target: databaseAddress,
        serverName: config.database.serverName,
        caPem: readMeasured(pathOf(config.database.ca)).toString('utf8'),
        timeoutMs,
      },
    };
    const failed = () => fleet.members.find(({ child }) => child.failure)?.child.failure;
    await retryPatiently(
      {
        what: 'waiting for the database',
        attempt: (signal) => {
          const failure = failed();
          if (failure) throw failure;
          return probeThrough(probeTargets, context.clock, signal);
        },
        // One that ended comes back by itself, unless its supervision says otherwise.
        isTemporary: (error) => failed() === undefined && isTemporary(error),
      },
      context,
    );
    return { probeTargets };
  },
};

function isTemporary(error: unknown): boolean {
  return error instanceof MemberDown || TEMPORARY.has(errorCode(error) ?? '');
}
