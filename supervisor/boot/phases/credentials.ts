/** Role credentials from IMDSv2, where there is a KMS to ask under them, or RDS asks IAM about logins. The metadata service may come late: asked again until the deadline. */
import type { AnyEnclaveConfig } from '../../../config/any-enclave.ts';
import { usesRdsIam } from '../../../config/rds-iam.ts';
import type { DatabaseLogin } from '../../../config/user-secrets.ts';
import { errorCode } from '../../../runtime/errors.ts';
import { fetchRoleCredentials } from '../../credentials/imds.ts';
import { CredentialKeeper } from '../../credentials/keeper.ts';
import { privateSocket } from '../../routes.ts';
import { retryPatiently } from '../patience.ts';
import type { Phase } from '../phase.ts';

export interface CredentialsReady {
  /** Undefined where nothing is asked under them. */
  readonly keeper: CredentialKeeper | undefined;
}

interface Needs {
  readonly config: Pick<AnyEnclaveConfig, 'imds'> & {
    readonly deadlines: { readonly credentialsMs: number };
    readonly kms?: unknown;
    readonly kmsProxy?: unknown;
    readonly database?: { readonly login?: DatabaseLogin | undefined };
  };
}

function needsCredentials({ kms, kmsProxy, database }: Needs['config']): boolean {
  return kms !== undefined || kmsProxy !== undefined || (database !== undefined && usesRdsIam({ database }));
}

export const credentialsPhase: Phase<Needs, CredentialsReady> = {
  name: 'credentials',
  deadlineMs: ({ config }) => config.deadlines.credentialsMs,
  async run({ config }, context) {
    if (!needsCredentials(config)) return { keeper: undefined };
    const { platform, clock, random, logger, defer, fail } = context;
    const options = {
      socketPath: privateSocket(platform, 'imds').path,
      timeoutMs: config.imds.requestTimeoutMs,
      nowMs: () => clock.nowMs(),
    };
    const keeper = new CredentialKeeper({
      fetch: (signal) => fetchRoleCredentials(options, signal),
      clock,
      random,
      logger,
      onFailure: fail,
    });
    await retryPatiently(
      {
        what: 'waiting for role credentials',
        attempt: (signal) => keeper.start(signal),
        isTemporary: (error) => errorCode(error) === 'CREDENTIALS_UNAVAILABLE',
      },
      context,
    );
    defer(() => keeper.stop());
    return { keeper };
  },
};
