/** Questions to KMS: over the private route, under the role's credentials, during the boot patiently where that can help. */
import { readFileSync } from 'node:fs';
import { kmsPlaceOf } from '../../config/key-keeper.ts';
import { requireKms } from '../../config/kms.ts';
import { AttestedKms } from '../../kms/client.ts';
import { regionalEndpoint } from '../../kms/endpoint.ts';
import { KmsError } from '../../kms/errors.ts';
import type { CredentialKeeper } from '../credentials/keeper.ts';
import type { Platform } from '../platform.ts';
import { privateSocket } from '../routes.ts';
import { retryPatiently } from './patience.ts';
import type { PhaseContext } from './phase.ts';
import type { Configured } from './phases/configuration.ts';
import type { CredentialsReady } from './phases/credentials.ts';
import type { NsmReady } from './phases/nsm.ts';

export type KmsNeeds = Pick<Configured, 'config' | 'pathOf'> & CredentialsReady & NsmReady;

interface KmsQuestion<Result> {
  /** For status and log. */
  readonly what: string;
  readonly ask: (kms: AttestedKms, signal: AbortSignal) => Promise<Result>;
  /** Whether to ask again when KMS throttles, is down or finds the credentials expired. */
  readonly patient: boolean;
}

function connect({ config, keeper, nsm, pathOf }: KmsNeeds, platform: Platform, keyArn?: string): AttestedKms {
  const kms = requireKms(config);
  const { credentials } = requireKeeper(keeper);
  const { region, route, endpoint, ca } = kmsPlaceOf(keyArn ?? kms.keyArn, { ...config, kms });
  const connection = {
    region,
    endpoint: endpoint === undefined ? regionalEndpoint(region) : new URL(endpoint),
    dial: privateSocket(platform, route),
    credentials,
    requestTimeoutMs: kms.requestTimeoutMs,
    ...(ca === undefined ? {} : { caPem: readFileSync(pathOf(ca), 'utf8') }),
  };
  return new AttestedKms(connection, nsm);
}

/**
 * Asks with a key pair made for this question, which is forgotten with the client.
 * @throws KmsError, CmsError and NsmError of AttestedKms; the context signal's reason
 */
export async function askKms<Result>(
  { what, ask, patient }: KmsQuestion<Result>,
  have: KmsNeeds,
  context: PhaseContext,
): Promise<Result> {
  const kms = connect(have, context.platform);
  try {
    return await retryPatiently(
      {
        what,
        attempt: (signal) => ask(kms, signal),
        isTemporary: (error) => patient && error instanceof KmsError && error.retryable,
        beforeRetry: (error) => forgetExpired(error, have),
      },
      context,
    );
  } finally {
    kms.close();
  }
}

/** One question, also later than the boot. @param keyArn where that key is; default: kms.keyArn. @throws as askKms */
export async function askKmsOnce<Result>(
  ask: KmsQuestion<Result>['ask'],
  have: KmsNeeds,
  platform: Platform,
  signal: AbortSignal,
  keyArn?: string,
): Promise<Result> {
  const kms = connect(have, platform, keyArn);
  try {
    return await ask(kms, signal);
  } catch (error) {
    forgetExpired(error, have);
    throw error;
  } finally {
    kms.close();
  }
}

/** There is one wherever there is a section kms. */
function requireKeeper(keeper: CredentialKeeper | undefined): CredentialKeeper {
  if (keeper !== undefined) return keeper;
  throw new KmsError('KMS_CREDENTIALS_UNAVAILABLE', 'this enclave has no credentials for KMS');
}

function forgetExpired(error: unknown, { keeper }: KmsNeeds): void {
  if (error instanceof KmsError && error.code === 'KMS_CREDENTIALS_EXPIRED') keeper?.discard();
}
