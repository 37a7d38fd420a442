/** The first probe of acra-server and the database. A database that is down or without TLS may yet come: patience. */
import { errorCode } from '../../../runtime/errors.ts';
import { MemberDown, probeThrough } from '../../health.ts';
import { ingressRoutes } from '../../routes.ts';
import type { Served } from '../../serving.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase } from '../phase.ts';
import type { AcraReady } from './acra.ts';
import type { ClockKept } from './clock-kept.ts';
import type { Configured } from './configuration.ts';
import type { MasterKeyReady } from './master-key.ts';
import type { RequestsReady } from './requests.ts';

const TEMPORARY = new Set([
  'BOOT_DATABASE_NO_TLS',
  'BOOT_DATABASE_TLS_FAILED',
  'BOOT_DATABASE_UNREACHABLE',
  'BOOT_DATABASE_UNTRUSTED',
  'CHILD_DEAF',
  'CHILD_NOT_READY',
]);

type Needs = Configured & AcraReady & MasterKeyReady & RequestsReady & ClockKept;

export const readyPhase: Phase<Needs, Served> = {
  name: 'ready',
  deadlineMs: ({ config }) => config.deadlines.readyMs,
  async run(have, context) {
    const { fleet, probeTargets, config, ingress, lease, attestor, clockKeeper, keyDesk } = have;
    const failed = () => fleet.essential.find(({ child }) => child.failure)?.child.failure;
    await retryPatiently(
      {
        what: 'waiting for the database',
        attempt: (signal) => {
          const failure = failed();
          if (failure) throw failure;
          return probeThrough(probeTargets, signal);
        },
        // One that ended comes back by itself, unless its supervision says otherwise.
        isTemporary: (error) => failed() === undefined && isTemporary(error),
      },
      context,
    );
    return {
      probeTargets,
      publicRoutes: ingressRoutes(context.platform, { ...config, postgresIngress: ingress }),
      counting: [fleet, lease, attestor, clockKeeper, keyDesk ?? []].flat(),
    };
  },
};

function isTemporary(error: unknown): boolean {
  return error instanceof MemberDown || TEMPORARY.has(errorCode(error) ?? '');
}
