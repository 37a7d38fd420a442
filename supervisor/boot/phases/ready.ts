/** The first probe through acra-server to the database. A database that is down or without TLS may yet come: patience. */
import { errorCode } from '../../../runtime/errors.ts';
import type { ProbeTargets } from '../../health.ts';
import { probeThrough } from '../../health.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase } from '../phase.ts';
import type { AcraReady } from './acra.ts';
import type { Configured } from './configuration.ts';
import type { EgressReady } from './egress.ts';

export interface Ready {
  readonly probeTargets: ProbeTargets;
}

const TEMPORARY = new Set(['BOOT_DATABASE_NO_TLS', 'BOOT_DATABASE_UNREACHABLE', 'CHILD_NOT_READY']);

export const readyPhase: Phase<Configured & EgressReady & AcraReady, Ready> = {
  name: 'ready',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run({ config, databaseAddress, acra }, context) {
    const probeTargets = {
      acra: config.acra.listen,
      database: databaseAddress,
      timeoutMs: config.health.probeTimeoutMs,
    };
    await retryPatiently(
      {
        what: 'waiting for the database',
        attempt: (signal) => {
          if (acra.failure) throw acra.failure;
          return probeThrough(probeTargets, signal);
        },
        isTemporary: (error) => TEMPORARY.has(errorCode(error) ?? ''),
      },
      context,
    );
    return { probeTargets };
  },
};
