/** Reads `deployment.yaml` and what it names: of each image its measurements and the key that its measured folder states. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { anyEnclaveSchema, isApp } from '../../../config/any-enclave.ts';
import { isSameKeyMaterial, parseKeyArn } from '../../../config/aws-names.ts';
import { loadConfig } from '../../../config/load.ts';
import { rdsPlaceOf } from '../../../config/rds-iam.ts';
import { DeployError } from '../../errors.ts';
import { type Deployment, deploymentSchema } from './deployment.ts';
import { type Processor, parentMachine } from './instance-types.ts';
import type { ImageConfig, RegionConfig } from './region.ts';

/** What the fleet needs to know of its image; paths are absolute. */
export interface KnownImage {
  readonly measurementsFile: string;
  readonly enclaveFolder: string;
  readonly alsoInPolicy: readonly string[];
  readonly eifSha256: string;
  readonly releaseSha256: string;
}

export interface KnownRegion extends RegionConfig {
  readonly knownImage: KnownImage | undefined;
}

export interface KnownDeployment extends Omit<Deployment, 'regions'> {
  readonly regions: readonly KnownRegion[];
}

const measurements = z.object({
  image: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ramdisks: z.array(z.object({ files: z.record(z.string(), z.string()) })),
});

/** The loader of glibc, which Node needs in every image. */
const LOADERS: Readonly<Record<Processor, RegExp>> = {
  x86_64: /\/ld-linux-x86-64\.so\.2$/,
  aarch64: /\/ld-linux-aarch64\.so\.1$/,
};

function readMeasurements(file: string): z.output<typeof measurements> {
  const allowed = 'measurements.json, which `acra-enclave eif build` writes beside the image';
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new DeployError('CDK_MEASUREMENTS', `cannot read ${file}`, { allowed, cause });
  }
  const read = measurements.safeParse(json);
  if (read.success) return read.data;
  throw new DeployError('CDK_MEASUREMENTS', `${file} does not say which image it is of`, {
    found: z.prettifyError(read.error),
    allowed,
  });
}

function requireProcessor(file: string, told: z.output<typeof measurements>, instanceType: string): void {
  const needed = parentMachine(instanceType)?.processor ?? 'x86_64';
  const paths = told.ramdisks.flatMap(({ files }) => Object.keys(files));
  if (paths.some((path) => LOADERS[needed].test(path))) return;
  throw new DeployError('CDK_IMAGE_PROCESSOR', `the image does not run on ${instanceType}`, {
    found: `${file} lists no loader of ${needed}`,
    allowed:
      needed === 'aarch64'
        ? 'an image that was built on a Graviton instance, with kernel.aws-blobs in image.yaml (the kernel from Debian’s source is built for x86_64 only), or another instanceType'
        : 'an image that was built on x86_64, or a Graviton instanceType',
  });
}

/** Whom the role may be is said twice, once measured and once in IAM: it must be the same. */
function requireLogins(folder: string, { database }: RegionConfig): void {
  const file = resolve(folder, 'enclave.yaml');
  const enclave = loadConfig(anyEnclaveSchema, file);
  if (isApp(enclave) || database.kind === 'external') return;
  const place = rdsPlaceOf(enclave);
  const users = place === undefined ? [] : enclave.database.users.map(({ name }) => name);
  const [stated, named] = [database.iamUsers, users].map((each) => each.toSorted().join(', ') || 'nobody');
  if (stated !== named)
    throw new DeployError('CDK_DATABASE_LOGIN', `${file} and database.iamUsers name different users`, {
      found: `database.iamUsers: ${stated}`,
      allowed: `${named}, the users of enclave.yaml with database.login: rds-iam, and none with another login`,
    });
  if (place === undefined || place.port === database.port) return;
  throw new DeployError('CDK_DATABASE_LOGIN', `${file} makes tokens for another port than the database has`, {
    found: `database.rdsIam.port: ${place.port}`,
    allowed: String(database.port),
  });
}

/** In another region the enclave asks the replica, whose ARN differs by the region alone. */
function requireKey(folder: string, keyArn: string | undefined, region: string): void {
  const file = resolve(folder, 'enclave.yaml');
  const enclave = loadConfig(anyEnclaveSchema, file);
  const stated = 'kms' in enclave ? enclave.kms?.keyArn : undefined;
  if (stated === undefined || keyArn === undefined) {
    throw new DeployError('CDK_IMAGE_KEY', `${file} names no KMS key of an enclave for acra-server`, {
      allowed:
        'kms.keyArn; enclaves with workload: app, or whose keys operators keep alone, are not deployed by this app',
    });
  }
  const isOfRegion = parseKeyArn(stated)?.region === region;
  if (isOfRegion && isSameKeyMaterial(stated, keyArn)) return;
  throw new DeployError('CDK_IMAGE_KEY', `${file} is for another key than this deployment has in ${region}`, {
    found: stated,
    allowed: keyArn.replace(/^(arn:[^:]+:kms:)[^:]+/, `$1${region}`),
  });
}

function known(image: ImageConfig, config: RegionConfig, keyArn: string | undefined, at: string): KnownImage {
  const { region, fleet } = config;
  const path = (name: string) => resolve(at, name);
  const measurementsFile = path(image.measurements);
  const told = readMeasurements(measurementsFile);
  requireProcessor(measurementsFile, told, fleet.instanceType);
  requireKey(path(image.enclave), keyArn, region);
  requireLogins(path(image.enclave), config);
  return {
    measurementsFile,
    enclaveFolder: path(image.enclave),
    alsoInPolicy: image.alsoInPolicy.map(path),
    eifSha256: told.image.sha256,
    releaseSha256: image.release.sha256,
  };
}

/** @throws ConfigError with every fault of the file; DeployError CDK_MEASUREMENTS, CDK_IMAGE_KEY, CDK_IMAGE_PROCESSOR, CDK_DATABASE_LOGIN */
export function readDeployment(file: string): KnownDeployment {
  const deployment = loadConfig(deploymentSchema, file);
  const at = dirname(resolve(file));
  const regions = deployment.regions.map((region) => ({
    ...region,
    knownImage: region.image && known(region.image, region, deployment.key.arn, at),
  }));
  return { ...deployment, regions };
}
