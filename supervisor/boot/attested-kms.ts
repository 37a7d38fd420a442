/** Questions to KMS: over the private route, under the role's credentials, during the boot patiently where that can help. */
import { readFileSync } from 'node:fs';
import type { KmsProxySection } from '../../config/app/kms-proxy.ts';
import type { EnclaveConfig } from '../../config/enclave.ts';
import { kmsPlaceOf } from '../../config/key-keeper.ts';
import { requireKms } from '../../config/kms.ts';
import { AttestedKms } from '../../kms/client.ts';
import { regionalEndpoint } from '../../kms/endpoint.ts';
import { KmsError } from '../../kms/errors.ts';
import type { RecipientKey } from '../../kms/recipient.ts';
import type { CredentialKeeper } from '../credentials/keeper.ts';
import type { Platform } from '../platform.ts';
import { privateSocket } from '../routes.ts';
import { retryPatiently } from './patience.ts';
import type { PhaseContext } from './phase.ts';
import type { Configured } from './phases/configuration.ts';
import type { CredentialsReady } from './phases/credentials.ts';
import type { NsmReady } from './phases/nsm.ts';

type KmsSections = Pick<EnclaveConfig, 'kms' | 'keys'>;
/** Either has KMS, or asks nobody. */
type KmsConfig = KmsSections | { readonly kmsProxy?: KmsProxySection | undefined };

export type AnyKmsNeeds = { readonly config: KmsConfig } & Pick<Configured, 'pathOf'> & CredentialsReady & NsmReady;
export type KmsNeeds = AnyKmsNeeds & Pick<Configured, 'config'>;

interface KmsQuestion<Result> {
  /** For status and log. */
  readonly what: string;
  readonly ask: (kms: AttestedKms, signal: AbortSignal) => Promise<Result>;
  /** Whether to ask again when KMS throttles, is down or finds the credentials expired. */
  readonly patient: boolean;
  /** To which the answer is encrypted. Default: one that is made for this question. */
  readonly key?: Promise<RecipientKey>;
}

/** An application's first region is where its enclave asks for itself. */
function placeOf(config: KmsConfig, keyArn: string | undefined) {
  if ('kmsProxy' in config && config.kmsProxy !== undefined) {
    const { regions, requestTimeoutMs } = config.kmsProxy;
    const [first] = regions;
    if (first !== undefined) return { ...first, requestTimeoutMs };
  }
  const sections = config as KmsSections;
  const kms = requireKms(sections);
  return { ...kmsPlaceOf(keyArn ?? kms.keyArn, { ...sections, kms }), requestTimeoutMs: kms.requestTimeoutMs };
}

interface Connecting {
  readonly keyArn?: string | undefined;
  readonly key?: Promise<RecipientKey> | undefined;
}

function connect(
  { config, keeper, nsm, pathOf }: AnyKmsNeeds,
  platform: Platform,
  { keyArn, key }: Connecting = {},
): AttestedKms {
  const { credentials } = requireKeeper(keeper);
  const { region, route, endpoint, ca, requestTimeoutMs } = placeOf(config, keyArn);
  const connection = {
    region,
    endpoint: endpoint === undefined ? regionalEndpoint(region) : new URL(endpoint),
    dial: privateSocket(platform, route),
    credentials,
    requestTimeoutMs,
    ...(ca === undefined ? {} : { caPem: readFileSync(pathOf(ca), 'utf8') }),
  };
  return new AttestedKms(connection, nsm, key);
}

/**
 * Asks with a key pair for this question alone, which is forgotten with the client.
 * @throws KmsError, CmsError and NsmError of AttestedKms; the context signal's reason
 */
export async function askKms<Result>(
  { what, ask, patient, key }: KmsQuestion<Result>,
  have: AnyKmsNeeds,
  context: PhaseContext,
): Promise<Result> {
  const kms = connect(have, context.platform, { key });
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
  have: AnyKmsNeeds,
  platform: Platform,
  signal: AbortSignal,
  keyArn?: string,
): Promise<Result> {
  const kms = connect(have, platform, { keyArn });
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

function forgetExpired(error: unknown, { keeper }: AnyKmsNeeds): void {
  if (error instanceof KmsError && error.code === 'KMS_CREDENTIALS_EXPIRED') keeper?.discard();
}
