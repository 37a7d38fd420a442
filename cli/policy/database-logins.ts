/**
 * Which users of an RDS database the role may be (`database.login: rds-iam`), as IAM names them: by the resource of the database, which is
 * neither its name nor its ARN, and no wildcard, which would name users of every database of the account.
 * Specification: RDS User Guide, "Creating and using an IAM policy for IAM database access".
 */
import { join, resolve } from 'node:path';
import { anyEnclaveSchema, isApp } from '../../config/any-enclave.ts';
import { partitionOf } from '../../config/aws-names.ts';
import { loadConfig } from '../../config/load.ts';
import { rdsPlaceOf } from '../../config/rds-iam.ts';
import { accountOf } from '../../kms/policy/language/principal.ts';
import { CliError } from '../errors.ts';

const RESOURCE = /^(db|cluster|prx)-[A-Za-z0-9]{6,60}$/;

interface Told {
  readonly enclave?: string;
  readonly roleArn: string;
  readonly databaseResource?: string;
}

export const NO_DATABASE_RESOURCE =
  'enclave.yaml logs in to the database by IAM: the role needs rds-db:connect for its users. Name the database with --database-resource (DbiResourceId or DbClusterResourceId) to have --iam print it.';

/** @returns ARNs; none where another login is used; undefined where the database is not named. @throws CliError CLI_OPTION; ConfigError */
export function databaseLogins({ enclave, roleArn, databaseResource }: Told): readonly string[] | undefined {
  const config =
    enclave === undefined ? undefined : loadConfig(anyEnclaveSchema, join(resolve(enclave), 'enclave.yaml'));
  const place = config === undefined || isApp(config) ? undefined : rdsPlaceOf(config);
  if (config === undefined || isApp(config) || place === undefined) {
    if (databaseResource === undefined) return [];
    throw new CliError('CLI_OPTION', '--database-resource is for an enclave that logs in by IAM', {
      allowed: '--enclave with a folder whose enclave.yaml has database.login: rds-iam',
    });
  }
  if (databaseResource === undefined) return undefined;
  if (!RESOURCE.test(databaseResource))
    throw new CliError('CLI_OPTION', '--database-resource names no database as IAM does', {
      found: databaseResource,
      allowed: 'the DbiResourceId (db-…) or DbClusterResourceId (cluster-…) of `aws rds describe-db-instances`',
    });
  const { name } = partitionOf(place.region);
  const database = `arn:${name}:rds-db:${place.region}:${accountOf(roleArn)}:dbuser:${databaseResource}`;
  return config.database.users.map((user) => `${database}/${user.name}`);
}
