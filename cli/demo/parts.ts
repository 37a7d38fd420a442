/** What lies outside the product: PostgreSQL, KMS, IMDS, certificates, operators. The same for a simulated enclave and a machine's. */
import { join } from 'node:path';
import type { NsmTrust } from '../../emulator/kms/nsm-trust.ts';
import type { RunningPostgres } from '../../emulator/postgres/server.ts';
import type { RunningRds } from '../../emulator/rds/server.ts';
import type { EncryptOptions } from '../../kms/operator-encrypt.ts';
import type { PolicyDocument } from '../../kms/policy/key-policy.ts';
import type { PcrIndex } from '../../wire/brands.ts';
import type { ClientFiles, DemoCertificates } from './certificates.ts';
import { makeCertificates, writeClientFiles } from './certificates.ts';
import type { Cloud } from './cloud.ts';
import { REGION, startCloud } from './cloud.ts';
import { type DemoOperator, makeOperators } from './operators.ts';
import { type DatabaseServer, startDemoPostgres } from './postgres.ts';
import { startDemoRds } from './rds.ts';

export const ENCRYPTION_CONTEXT = { purpose: 'acra-master-key', application: 'demo' };
const CREDENTIAL_LIFETIME_MS = 3600 * 1000;

export interface OutsideParts {
  readonly certificates: DemoCertificates;
  readonly clientFiles: ClientFiles;
  readonly cloud: Cloud;
  readonly postgres: RunningPostgres;
  /** In front of it. */
  readonly rds: RunningRds | undefined;
  readonly keyArn: string;
  /** None where keys lie in the image. */
  readonly operators: readonly DemoOperator[];
}

export interface PartsOptions {
  /** Everything that the parts write lies here; short, because unix sockets lie here too. */
  readonly root: string;
  readonly nsmTrust: NsmTrust;
  /** Names; default: none. */
  readonly operators?: readonly string[];
  readonly databaseTls?: boolean | undefined;
  /** The application's user logs in by tokens of the instance's role. Default: by its password. */
  readonly rdsIam?: boolean | undefined;
  /** Of databases (emulator/postgres/template.ts). */
  readonly databaseTemplates?: string | undefined;
  /** Another version of PostgreSQL (emulator/postgres/options.ts). */
  readonly databasePackage?: string | undefined;
  readonly databaseServer?: DatabaseServer | undefined;
  /** Common names of further identities, beside the application's. */
  readonly otherClients?: readonly string[] | undefined;
  readonly credentialLifetimeMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** @param started gets the stops of what was started, also when a later part fails */
export async function startParts(options: PartsOptions, started: AsyncDisposableStack): Promise<OutsideParts> {
  const { root, nsmTrust, signal, credentialLifetimeMs = CREDENTIAL_LIFETIME_MS } = options;
  const certificates = await makeCertificates(options.otherClients);
  const cloud = await startCloud({ folder: join(root, 'cloud'), nsmTrust, credentialLifetimeMs });
  started.defer(() => cloud.stop());
  const postgres = await startDemoPostgres({
    folder: join(root, 'pg'),
    tls: options.databaseTls ?? true,
    certificates,
    templates: options.databaseTemplates,
    packageFolder: options.databasePackage,
    server: options.databaseServer,
    signal,
  });
  started.defer(() => postgres.stop());
  const rds = options.rdsIam ? await startDemoRds({ certificates, cloud, postgres }) : undefined;
  if (rds) started.defer(() => rds.stop());
  const clientFiles = writeClientFiles(join(root, 'client'), certificates);
  const keyArn = await cloud.createKey();
  const operators = makeOperators(join(root, 'operators'), options.operators ?? []);
  return { certificates, clientFiles, cloud, postgres, rds, keyArn, operators };
}

/** Of host-proxy.yaml. */
export function outsideSections({ postgres, rds, cloud }: OutsideParts) {
  const database = rds ?? postgres;
  return {
    database: { connect: `tcp://${database.host}:${database.port}` },
    kms: { connect: `tcp://${cloud.kms.host}:${cloud.kms.port}` },
    imds: { connect: `tcp://${cloud.imds.host}:${cloud.imds.port}` },
  };
}

/** How the operator's own client encrypts with the demo's key. */
export function operatorsKms({ cloud, keyArn }: OutsideParts): EncryptOptions {
  const { accessKeyId, secretAccessKey } = cloud.kms.adminCredentials;
  return {
    region: REGION,
    keyArn,
    encryptionContext: ENCRYPTION_CONTEXT,
    endpoint: cloud.kms.url,
    caPem: cloud.kms.caPem,
    credentials: { accessKeyId, secretAccessKey },
  };
}

/** From now on the demo's key opens for an enclave with these registers, and for nobody else. */
export function allowOnly(
  { cloud, keyArn }: OutsideParts,
  pcrs: ReadonlyMap<PcrIndex, Buffer>,
): Promise<PolicyDocument> {
  return cloud.putKeyPolicy(keyArn, pcrs, { encryptionContext: ENCRYPTION_CONTEXT });
}
