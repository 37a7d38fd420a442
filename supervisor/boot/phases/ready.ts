/** The first probe of acra-server and the database. A database that is down or without TLS may yet come: patience. */
import { errorCode } from '../../../runtime/errors.ts';
import type { ProbeTargets } from '../../health.ts';
import { probeThrough } from '../../health.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase } from '../phase.ts';
import type { AcraReady } from './acra.ts';
import type { Configured } from './configuration.ts';
import { readMeasured } from './configuration.ts';
import type { ControlReady } from './control.ts';
import type { EgressReady } from './egress.ts';

export interface Ready {
  readonly probeTargets: ProbeTargets;
}

const TEMPORARY = new Set([
  'BOOT_DATABASE_NO_TLS',
  'BOOT_DATABASE_UNREACHABLE',
  'BOOT_DATABASE_UNTRUSTED',
  'CHILD_DEAF',
  'CHILD_NOT_READY',
]);

export const readyPhase: Phase<ControlReady & Configured & EgressReady & AcraReady, Ready> = {
  name: 'ready',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run({ relay, config, pathOf, databaseAddress, acra }, context) {
    const timeoutMs = config.health.probeTimeoutMs;
    const probeTargets = {
      acra: {
        target: config.acra.listen,
        dialled: () => relay.counters()['database']?.accepted ?? 0,
        timeoutMs,
        clock: context.clock,
      },
      database: {
        target: databaseAddress,
        serverName: config.database.serverName,
        caPem: readMeasured(pathOf(config.database.ca)).toString('utf8'),
        timeoutMs,
      },
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
